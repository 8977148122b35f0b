package keyring

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"relais/node/seal"
)

// counterName is the file, in the data folder, that says which counter is the
// hub's and how to use it, sealed under the KEK.
const counterName = "counter.sealed"

// maxCounterBytes bounds that file.
const maxCounterBytes = 16 << 10

// What may have become of a counter. Providers wrap these; any other error means
// that it could not be asked today.
var (
	// ErrNoCounter means that there is none, and none can be made here.
	ErrNoCounter = errors.New("this hub has no counter")
	// ErrCounterMissing means that somebody removed it.
	ErrCounterMissing = errors.New("the hub's counter is gone: somebody removed it")
	// ErrCounterChanged means that another stands in its place.
	ErrCounterChanged = errors.New("the hub's counter is not the one it made: somebody put another in its place")
)

// Count is what a counter says.
type Count struct {
	Value uint64 `json:"value"`
	// Place tells the counter from another one and, where its value is a file,
	// from a copy of it. It says nothing else.
	Place []byte `json:"place"`
	// At is when Place last changed, where it changes with each value; else zero.
	At time.Time `json:"at,omitzero"`
}

// Counting is what a Provider may do besides: keep a number that counts up and
// that no restored backup takes back. It is an interface apart because not every
// device can. What NewCounter returns is kept sealed under the KEK, and handed
// back as it was.
type Counting interface {
	// NewCounter makes a counter of its own. Errors: ErrNoCounter where none can be
	// made; the cause is wrapped too.
	NewCounter() (blob []byte, err error)
	// ReadCounter returns where it stands. Errors: ErrCounterMissing,
	// ErrCounterChanged.
	ReadCounter(blob []byte) (Count, error)
	// RaiseCounter counts one up if that leads to to, and does nothing if it stands
	// there or above: asked again, it does it once. Errors: those of ReadCounter.
	RaiseCounter(blob []byte, to uint64) (Count, error)
}

var (
	counterPurpose = seal.Purpose("counter")
	counterPlace   = seal.Place{Table: "keyring", Row: "counter", Column: "sealed", Version: 1}
)

// Counter is the counter of one hub. It is safe for concurrent use.
type Counter struct {
	keys *Keyring
	path string

	mu   sync.Mutex
	blob []byte // nil until it was read; guarded by mu
}

// Counter returns the counter of the hub in dir, whether or not it has one. It
// asks nobody anything.
func (k *Keyring) Counter(dir string) *Counter {
	return &Counter{keys: k, path: filepath.Join(dir, counterName)}
}

// Count returns where the counter stands. Errors: ErrNoCounter, ErrCounterMissing,
// ErrCounterChanged, and those of the provider.
func (c *Counter) Count() (Count, error) {
	p, blob, err := c.open()
	if err != nil {
		return Count{}, err
	}
	return p.ReadCounter(blob)
}

// Raise counts one up if that leads to to; it does nothing if the counter stands
// there or above. Errors are those of Count.
func (c *Counter) Raise(to uint64) (Count, error) {
	p, blob, err := c.open()
	if err != nil {
		return Count{}, err
	}
	return p.RaiseCounter(blob, to)
}

// Renew makes a counter in the place of one that there never was, or that is
// lost. Errors: ErrNoCounter where none can be made, and those of the provider.
func (c *Counter) Renew() (Count, error) {
	p, ok := c.keys.provider.(Counting)
	if !ok {
		return Count{}, ErrNoCounter
	}
	blob, err := p.NewCounter()
	if err != nil {
		return Count{}, err
	}
	if err := c.keep(blob); err != nil {
		return Count{}, err
	}
	c.mu.Lock()
	c.blob = blob
	c.mu.Unlock()
	return p.ReadCounter(blob)
}

// keep writes the file. No key changes meanwhile: sealed under one that Forget
// destroys, or written over by what Forget read before, the counter would be lost.
func (c *Counter) keep(blob []byte) error {
	c.keys.changing.Lock()
	defer c.keys.changing.Unlock()
	sealed, err := c.keys.Seal(counterPurpose, counterPlace, blob)
	if err != nil {
		return err
	}
	return writeFile(c.path, sealed, 0o600)
}

// open returns what the file holds. A file that does not open is a counter that
// nobody can use any more.
func (c *Counter) open() (Counting, []byte, error) {
	p, ok := c.keys.provider.(Counting)
	if !ok {
		return nil, nil, ErrNoCounter
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blob != nil {
		return p, c.blob, nil
	}
	sealed, err := readBounded(c.path, maxCounterBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, ErrNoCounter
	}
	if err != nil {
		return nil, nil, fmt.Errorf("counter: %w", err)
	}
	blob, err := c.keys.Open(counterPurpose, counterPlace, sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrCounterChanged, counterName, err)
	}
	c.blob = blob
	return p, blob, nil
}

// resealCounter brings the file to the newest KEK, before those of before are
// forgotten. One that does not open is left as it is: it is nobody's any more.
func (k *Keyring) resealCounter() error {
	path := filepath.Join(k.dir, counterName)
	sealed, err := readBounded(path, maxCounterBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	blob, err := k.Open(counterPurpose, counterPlace, sealed)
	if err != nil {
		return nil
	}
	if sealed, err = k.Seal(counterPurpose, counterPlace, blob); err != nil {
		return err
	}
	return writeFile(path, sealed, 0o600)
}

// forgetCounter removes the file of a counter that died with its machine.
func forgetCounter(dir string) error {
	err := os.Remove(filepath.Join(dir, counterName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
