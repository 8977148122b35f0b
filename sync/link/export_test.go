package link

import (
	"time"

	"golang.org/x/time/rate"

	"relais/node/territory"
)

// HurryStrangers makes the time that a stranger has a tenth of what it is. Call it
// before Run.
func (l *Link) HurryStrangers() {
	l.join.ReadTimeout /= 10
	l.join.WriteTimeout /= 10
	l.join.IdleTimeout /= 10
}

// SlowTransit lets a hub pass on so many octets a second, all tunnels together, or
// one alone. Call it before any is open.
func (l *Link) SlowTransit(octets int) {
	l.transit.each = rate.Limit(octets)
	l.transit.all = rate.NewLimiter(rate.Limit(octets), transitBurst)
}

// Straighten does at once what the link does every minute.
func (l *Link) Straighten() {
	for _, s := range l.Peers() {
		l.straightenOne(s)
	}
}

// PassageOf is what a frame of TypeTunnel asks: "pass on", "take call", or why not.
func PassageOf(f Frame, self, peer territory.HubID) (string, error) {
	what, err := passageOf(f, self, peer)
	return map[passage]string{passOn: "pass on", takeCall: "take call"}[what], err
}

// PassingFails is how often in a row a rendezvous did wrong.
func (l *Link) PassingFails(hub territory.HubID) int {
	p := l.met(hub)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passing.fails
}

// RendezvousOf is the order in which hubs that may pass calls on are asked.
func (l *Link) RendezvousOf(hub territory.HubID) []territory.HubID { return l.rendezvousOf(hub) }

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
