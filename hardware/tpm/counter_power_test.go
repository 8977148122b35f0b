package tpm_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm"
)

// counterCuts is how often TestPowerCutsWhileCounting cuts the power.
var counterCuts = flag.Int("cuts", 50, "power cuts while a counter counts")

// The power is cut at any moment of an increment: the counter never stands below
// what was acknowledged, nor more than one above, the lockout counter stays where
// it was, and raising again to the same value counts once.
func TestPowerCutsWhileCounting(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	counter := newCounter(t, p)
	value := read(t, p, counter).Value
	place := read(t, p, counter).Place
	unsaid, counted := 0, 0
	for round := range *counterCuts {
		cut := time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, process.Kill)
		acknowledged := count(p, counter, value)
		cut.Stop()
		process.Kill()
		process = startIn(t, dir)
		c := read(t, p, counter)
		if c.Value < acknowledged || c.Value > acknowledged+1 || !bytes.Equal(c.Place, place) {
			t.Fatalf("round %d: it stands at %d, acknowledged %d", round, c.Value, acknowledged)
		}
		if c.Value > acknowledged {
			unsaid++
		}
		raise(t, p, counter, acknowledged+1) // as the next start does
		counted += int(acknowledged + 1 - value)
		value = acknowledged + 1
	}
	p.Close()
	conn := raw(t, process)
	if n := property(t, conn, tpm2.TPMPTLockoutCounter); n != 0 {
		t.Errorf("lockout counter %d after %d power cuts, want 0", n, *counterCuts)
	}
	if n := loaded(t, conn); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
	t.Logf("%d power cuts, %d increments, %d made and not acknowledged", *counterCuts, counted, unsaid)
}

// count counts up until the TPM answers no more, and returns the last value that
// it acknowledged.
func count(p *tpm.Provider, counter []byte, value uint64) uint64 {
	for {
		c, err := p.RaiseCounter(counter, value+1)
		if err != nil {
			return value
		}
		value = c.Value
	}
}
