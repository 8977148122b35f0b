package node_test

import (
	"fmt"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/journal"
)

// TestSourceIsANetwork: who has a whole IPv6 network is slowed down as one.
func TestSourceIsANetwork(t *testing.T) {
	for _, c := range []struct {
		name, address string // with the number of the attempt in it
		waits         bool
	}{
		{"IPv6, one /64", "2001:db8:1:2::%x", true},
		{"IPv6, one /64 with zones", "fe80::1%%eth%d", true},
		{"IPv4 written as IPv6", "::ffff:192.0.2.1", true},
		{"IPv6, many /64", "2001:db8:1:%x::1", false},
		{"IPv4, many", "192.0.2.%d", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			waits := false
			for i := range 12 {
				address := c.address
				if c.name != "IPv4 written as IPv6" {
					address = fmt.Sprintf(c.address, i)
				}
				_, err := d.SignIn(t.Context(), fmt.Sprintf("personne%d", i), "fausse phrase secrète", "000000", address)
				waits = waits || fault.Is(err, fault.Limited)
			}
			if waits != c.waits {
				t.Errorf("waited: %t", waits)
			}
		})
	}
}

// TestDenialEntries: however many sign-ins are refused, the journal grows by one
// entry a minute from one source, and by some dozens from all of them.
func TestDenialEntries(t *testing.T) {
	d := newDesk(t)
	login := 0 // another each time: an account has a delay of its own
	refuse := func(address string, times int) int {
		t.Helper()
		before, err := d.CountEntries(t.Context(), journal.KindHelperDeny)
		if err != nil {
			t.Fatal(err)
		}
		for range times {
			login++
			_, err := d.SignIn(t.Context(), fmt.Sprintf("personne%d", login), "fausse phrase secrète", "000000", address)
			refused(t, err, fault.Unauthenticated, "")
		}
		after, err := d.CountEntries(t.Context(), journal.KindHelperDeny)
		if err != nil {
			t.Fatal(err)
		}
		return after - before
	}
	if n := refuse("192.0.2.1", 5); n != 1 {
		t.Errorf("five from one source: %d entries", n)
	}
	if n := refuse("192.0.2.2", 1); n != 1 {
		t.Errorf("one from another: %d entries", n)
	}
	d.land.clock.Advance(2 * time.Hour)
	if n := refuse("192.0.2.1", 2); n != 1 {
		t.Errorf("two, later: %d entries", n)
	}
	total := 0
	for i := range 200 {
		total += refuse(fmt.Sprintf("198.51.100.%d", i), 1)
	}
	if total > 65 {
		t.Errorf("%d entries in a minute from 200 sources", total)
	}
}

// TestBusySignIn: behind too many others, a sign-in is asked to come back.
func TestBusySignIn(t *testing.T) {
	d := newDesk(t)
	node.BusyArgon(t, 20*time.Millisecond)
	_, err := d.SignIn(t.Context(), "camille", d.enrol.Passphrase, d.code(t), "192.0.2.1")
	refused(t, err, fault.Limited, "")
	if fault.Of(err).Wait <= 0 {
		t.Errorf("it does not say how long: %v", err)
	}
}
