package exchange

import (
	"context"
	"time"
)

// errand is something to be had from whichever hubs are there: looked at when it
// may have changed, and again, later and later, while some of it is left. Its
// owner's lock guards it.
type errand struct {
	name string
	// run looks once, and says how many were had and how many are left.
	run func(context.Context) (done, left int, err error)

	due     bool
	running bool
	retry   time.Time // the next look, some having been left; zero: none
	misses  int       // looks in a row that had none
}

// start tells whether a look begins now, or else how long until the next; 0 for none.
func (e *errand) start(now time.Time) (wait time.Duration, starts bool) {
	if !e.retry.IsZero() {
		if wait := e.retry.Sub(now); wait > 0 && !e.due {
			return wait, false
		} else if wait <= 0 {
			e.due, e.retry = true, time.Time{}
		}
	}
	if !e.due || e.running {
		return 0, false
	}
	e.due, e.running = false, true
	return 0, true
}

// end notes what a look had.
func (e *errand) end(done, left int) {
	e.running, e.retry = false, time.Time{}
	switch {
	case left == 0:
		e.misses = 0
	case done > 0:
		e.due, e.misses = true, 0
	default:
		e.retry = time.Now().Add(pause(e.misses))
		e.misses++
	}
}
