package agent

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// BreakerPause is how long a client leaves a TPM alone after a time-out.
const BreakerPause = 10 * time.Second

// breaker answers in the place of a TPM that hangs, for a while, so that those
// who wait for their turn learn it at once.
type breaker struct {
	pause time.Duration

	mu    sync.Mutex // guards what is below
	until time.Time  // zero when nothing is wrong
	cause error
}

// note looks at how a call ended, and opens the breaker after a time-out.
func (b *breaker) note(err error) {
	if !errors.Is(err, ErrSilent) && !errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until, b.cause = time.Now().Add(b.pause), err
}

// allows returns nil when the TPM may be asked, or else an ErrPaused.
func (b *breaker) allows() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := time.Until(b.until); left > 0 {
		return fmt.Errorf("%w: asked again in %v; it was: %w", ErrPaused, left.Round(time.Millisecond), b.cause)
	}
	return nil
}
