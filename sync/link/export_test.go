package link

import "time"

// HurryStrangers makes the time that a stranger has a tenth of what it is. Call it
// before Run.
func (l *Link) HurryStrangers() {
	l.join.ReadTimeout /= 10
	l.join.WriteTimeout /= 10
	l.join.IdleTimeout /= 10
}

// Rest is how long a peer is left in peace and when that was decided, counted
// from the first failure.
type Rest struct{ At, For time.Duration }

// Rests are the rests of a peer that never answers and is called as soon as each
// ends.
func Rests(n int) []Rest {
	var b breaker
	start := time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)
	now := start
	rests := make([]Rest, n)
	for i := range rests {
		b.fail(now)
		rests[i] = Rest{At: now.Sub(start), For: b.until.Sub(now)}
		now = b.until
	}
	return rests
}
