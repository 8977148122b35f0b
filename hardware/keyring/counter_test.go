package keyring_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"relais/hardware/keyring"
)

// counting is a machine that counts, in memory.
type counting struct {
	*machine
	counters map[string]uint64
	none     error
}

func (c *counting) NewCounter() ([]byte, error) {
	if c.none != nil {
		return nil, c.none
	}
	name := nameOfCounter(len(c.counters))
	c.counters[name] = 1
	return []byte(name), nil
}

// nameOfCounter is long enough not to stand in a sealed file by chance.
func nameOfCounter(n int) string { return fmt.Sprintf("counter %d of a machine in memory", n) }

func (c *counting) ReadCounter(blob []byte) (keyring.Count, error) {
	value, found := c.counters[string(blob)]
	if !found {
		return keyring.Count{}, keyring.ErrCounterMissing
	}
	return keyring.Count{Value: value, Place: blob}, nil
}

func (c *counting) RaiseCounter(blob []byte, to uint64) (keyring.Count, error) {
	if c.counters[string(blob)]+1 == to {
		c.counters[string(blob)] = to
	}
	return c.ReadCounter(blob)
}

func openCounting(t *testing.T) (dir string, c *counting, k *keyring.Keyring, counter *keyring.Counter) {
	t.Helper()
	dir, m := existing(t)
	c = &counting{machine: m, counters: map[string]uint64{}}
	k, err := keyring.Open(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	return dir, c, k, k.Counter(dir)
}

// What tells a hub its counter is sealed in the folder: it is found again, and
// nobody else reads it.
func TestCounter(t *testing.T) {
	dir, c, k, counter := openCounting(t)
	if _, err := counter.Count(); !errors.Is(err, keyring.ErrNoCounter) {
		t.Fatalf("before any: %v", err)
	}
	if _, err := counter.Raise(2); !errors.Is(err, keyring.ErrNoCounter) {
		t.Fatalf("before any: %v", err)
	}
	if n, err := counter.Renew(); err != nil || n.Value != 1 {
		t.Fatalf("Renew = %+v, %v", n, err)
	}
	sealed, err := os.ReadFile(filepath.Join(dir, "counter.sealed"))
	if err != nil || bytes.Contains(sealed, []byte(nameOfCounter(0))) {
		t.Errorf("%q, %v", sealed, err)
	}
	again := k.Counter(dir)
	if n, err := again.Raise(2); err != nil || n.Value != 2 {
		t.Errorf("Raise = %+v, %v", n, err)
	}
	t.Run("ErrCounterMissing", func(t *testing.T) {
		delete(c.counters, nameOfCounter(0))
		if _, err := again.Count(); !errors.Is(err, keyring.ErrCounterMissing) {
			t.Errorf("got %v", err)
		}
		if n, err := again.Renew(); err != nil || n.Value != 1 {
			t.Errorf("Renew = %+v, %v", n, err)
		}
		if n, err := again.Count(); err != nil || n.Value != 1 {
			t.Errorf("then %+v, %v", n, err)
		}
	})
	t.Run("ErrCounterChanged", func(t *testing.T) { // a file of another hub, or altered
		sealed[len(sealed)-1] ^= 1
		if err := os.WriteFile(filepath.Join(dir, "counter.sealed"), sealed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Counter(dir).Count(); !errors.Is(err, keyring.ErrCounterChanged) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ErrNoCounter", func(t *testing.T) {
		c.none = keyring.ErrNoCounter
		if _, err := again.Renew(); !errors.Is(err, keyring.ErrNoCounter) {
			t.Errorf("got %v", err)
		}
	})
}

// A machine that cannot count at all says so.
func TestCounterOfAMachineWithout(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	counter := k.Counter(dir)
	_, count := counter.Count()
	_, raise := counter.Raise(2)
	_, renew := counter.Renew()
	for _, err := range []error{count, raise, renew} {
		if !errors.Is(err, keyring.ErrNoCounter) {
			t.Errorf("got %v", err)
		}
	}
}

// The counter of a lost machine goes with it.
func TestRecoverForgetsTheCounter(t *testing.T) {
	dir, c, _, counter := openCounting(t)
	if _, err := counter.Renew(); err != nil {
		t.Fatal(err)
	}
	other := &counting{machine: newMachine(keyring.KindTPM), counters: c.counters}
	k, err := keyring.Recover(dir, other, made().code)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Counter(dir).Count(); !errors.Is(err, keyring.ErrNoCounter) {
		t.Errorf("got %v", err)
	}
}

// A counter made while Forget brings the former one to the newest key is not
// written over by it. Without the lock, the new one is written in the pause.
func TestRenewWhileForgetting(t *testing.T) {
	dir, _, k, counter := openCounting(t)
	if _, err := counter.Renew(); err != nil {
		t.Fatal(err)
	}
	rekeyed(t, k)
	renewed := make(chan keyring.Count, 1)
	renew := func() {
		over := make(chan struct{})
		go func() {
			defer close(over)
			n, err := counter.Renew()
			if err != nil {
				t.Error(err)
			}
			renewed <- n
		}()
		select {
		case <-over:
		case <-time.After(200 * time.Millisecond):
		}
	}
	var began atomic.Bool // the renewal writes through here too
	restore := keyring.BeforeWrite(func(path string) {
		if filepath.Base(path) == "counter.sealed" && began.CompareAndSwap(false, true) {
			renew()
		}
	})
	defer restore()
	if err := k.Forget(); err != nil {
		t.Fatal(err)
	}
	want := <-renewed
	if n, err := k.Counter(dir).Count(); err != nil || !bytes.Equal(n.Place, want.Place) {
		t.Errorf("the file is of counter %q, %v; want %q", n.Place, err, want.Place)
	}
}
