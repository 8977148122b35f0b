package node

import (
	"context"
	"errors"
	"time"
)

// Counter counts up and never down, whatever becomes of the data folder: by it a
// folder that went back in time is recognised. It is an interface because a
// device keeps it; hardware/keyring provides it. It may be slow, or hang: of a hub
// that runs, only the signer loop asks it.
type Counter interface {
	// Count returns where it stands.
	Count() (Count, error)
	// Raise counts one up if that leads to to, and else does nothing: asked again,
	// it does it once.
	Raise(to uint64) (Count, error)
	// Renew makes a counter where there is none, or none any more.
	Renew() (Count, error)
}

// Count is what a counter says.
type Count struct {
	Value uint64
	// Place tells the counter from another one, or from a copy of it.
	Place []byte
	// At is when Place last changed, where each value changes it; else zero.
	At time.Time
}

// ErrNoCounter is wrapped by the errors of a Counter that mean that there is
// none, or none that is this hub's. Any other means: not now.
var ErrNoCounter = errors.New("no counter")

// askCounter waits for an answer, and leaves a device that hangs behind when ctx
// ends.
func askCounter(ctx context.Context, question func() (Count, error)) (Count, error) {
	type answer struct {
		count Count
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		count, err := question()
		answers <- answer{count, err}
	}()
	select {
	case a := <-answers:
		return a.count, a.err
	case <-ctx.Done():
		return Count{}, ctx.Err()
	}
}
