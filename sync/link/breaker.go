package link

import (
	"math/rand/v2"
	"time"
)

// How long a peer that does not answer is left in peace. A hub is often cut for
// a moment and must be back at once; a hub asleep for the night must not be
// called every second.
const (
	restFirst  = time.Second
	restShort  = 4 * time.Second // the longest, in the first two minutes
	restLong   = time.Minute     // the longest, after that
	shortUntil = 2 * time.Minute
)

// breaker spaces the calls to one peer. The peer's mutex guards it.
type breaker struct {
	fails int
	since time.Time // the first failure in a row
	until time.Time // no call before
}

// open tells whether to leave the peer in peace now.
func (b *breaker) open(now time.Time) bool { return now.Before(b.until) }

// fail notes a call that failed and rests: 1 s, doubling to 4 s; past two
// minutes, a minute; with a fifth of chance either way, so that
// hubs do not fall into step.
func (b *breaker) fail(now time.Time) {
	if b.fails == 0 {
		b.since = now
	}
	longest := restShort
	if now.Sub(b.since) > shortUntil {
		longest = restLong
	}
	rest := min(restFirst<<min(b.fails, 6), longest)
	b.fails++
	b.until = now.Add(time.Duration(float64(rest) * (0.8 + 0.4*rand.Float64())))
}

// reset forgets the failures: the peer was heard.
func (b *breaker) reset() { *b = breaker{} }
