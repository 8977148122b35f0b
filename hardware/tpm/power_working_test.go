package tpm_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// TestPowerCutsWhileWorking cuts the power at any moment while three callers
// unseal, sign and count. Each time the TPM is back the same provider goes on, the
// counter never stands below what was acknowledged, and the lockout counter stays
// where it was. Its twin is TestPowerCutsOnADAObject.
func TestPowerCutsWhileWorking(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	blob, counter := wrap(t, p), newCounter(t, p)
	_, signer := newIdentity(t, p)
	value := read(t, p, counter).Value
	done := 0
	for round := range *counterCuts {
		var callers sync.WaitGroup
		var unsealed, signed int
		callers.Go(func() { unsealed = until(func() error { _, err := p.Unwrap(blob); return err }) })
		callers.Go(func() {
			signed = until(func() error { _, err := signer.Sign(nil, make([]byte, 32), nil); return err })
		})
		var acknowledged uint64
		callers.Go(func() { acknowledged = count(p, counter, value) })
		time.Sleep(time.Duration(rand.IntN(20000)) * time.Microsecond)
		process.Kill()
		callers.Wait()
		process = startIn(t, dir)
		done += unsealed + signed
		if c := read(t, p, counter); c.Value < acknowledged || c.Value > acknowledged+1 {
			t.Fatalf("round %d: it stands at %d, acknowledged %d", round, c.Value, acknowledged)
		}
		value = acknowledged + 1
		raise(t, p, counter, value) // as the next start does
		mustUnwrap(t, p, blob)
		sign(t, signer)
	}
	p.Close()
	conn := raw(t, process)
	if n := property(t, conn, tpm2.TPMPTLockoutCounter); n != 0 {
		t.Errorf("lockout counter %d after %d power cuts, want 0", n, *counterCuts)
	}
	if n := loaded(t, conn); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
	t.Logf("%d power cuts, lockout counter +0, counter at %d, %d unsealed and signed", *counterCuts, value, done)
}

// until does something again and again until it fails, and tells how often it did.
func until(do func() error) (times int) {
	for do() == nil {
		times++
	}
	return times
}
