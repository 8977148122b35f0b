package node_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/node/territory"
)

// beacon is the hub's sign of life.
func (h *hub) beacon(t *testing.T) []byte {
	t.Helper()
	wire, _, err := h.Beacon()
	if err != nil || wire == nil {
		t.Fatalf("no beacon: %v", err)
	}
	return wire
}

// said is what h shows that another says of itself.
func (h *hub) said(t *testing.T, other *hub) *node.Said {
	t.Helper()
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range v.Hubs {
		if s.Hub.ID == other.Self() {
			return s.Said
		}
	}
	t.Fatalf("%s is not listed", other.site)
	return nil
}

// TestBeacons: each hub knows whom the others hear, and how long their word took,
// until it is too old.
func TestBeacons(t *testing.T) {
	l, a, b, c := three(t)
	b.PeerHeard(a.Self(), l.clock.Now())
	wire := b.beacon(t)
	l.clock.Advance(300 * time.Millisecond)
	if fresh, err := a.TakeBeacon(wire); err != nil || !fresh {
		t.Fatalf("%v, %v", fresh, err)
	}
	want := &node.Said{Misses: []string{c.Name()}, Roster: a.Roster().Version, Delay: 300 * time.Millisecond}
	if diff := cmp.Diff(want, a.said(t, b)); diff != "" {
		t.Error(diff)
	}
	if got := a.Propagation(); got.Of != 1 || got.P50 != want.Delay || got.P99 != want.Delay {
		t.Errorf("%+v", got)
	}
	if fresh, err := a.TakeBeacon(wire); err != nil || fresh {
		t.Errorf("it came twice, and would be passed on again: %v", err)
	}
	l.clock.Advance(time.Second)
	if fresh, err := a.TakeBeacon(b.beacon(t)); err != nil || fresh {
		t.Errorf("a flood is passed on: %v", err)
	}
	if fresh, err := b.TakeBeacon(wire); err != nil || fresh {
		t.Errorf("its own came back: %v", err)
	}
	l.clock.Advance(time.Minute)
	if fresh, err := a.TakeBeacon(b.beacon(t)); err != nil || !fresh {
		t.Errorf("the next: %v", err)
	}
	if fresh, err := a.TakeBeacon(wire); err != nil || fresh {
		t.Errorf("an older one counts: %v", err)
	}
	l.clock.Advance(9 * time.Minute)
	if a.said(t, b) == nil {
		t.Error("three were not missed yet")
	}
	l.clock.Advance(time.Minute)
	if got := a.said(t, b); got != nil {
		t.Errorf("too old: %+v", got)
	}
}

// TestBeaconClock: a hub whose clock was ahead is heard again once it is right.
func TestBeaconClock(t *testing.T) {
	l, a, b, _ := three(t)
	before := l.clock.Now()
	l.clock.Advance(48 * time.Hour)
	ahead := b.beacon(t)
	l.clock.Advance(before.Sub(l.clock.Now()))
	if _, err := a.TakeBeacon(ahead); err != nil {
		t.Fatal(err)
	}
	if got := a.Propagation(); got.P99 != 0 {
		t.Errorf("it came before it was sent: %v", got.P99)
	}
	l.clock.Advance(time.Minute)
	if fresh, err := a.TakeBeacon(b.beacon(t)); err != nil || !fresh {
		t.Errorf("%v, %v", fresh, err)
	}
}

// TestErrTakeBeacon: only the hub itself says what it hears, while it is in the
// territory.
func TestErrTakeBeacon(t *testing.T) {
	l, a, b, c := three(t)
	wire := b.beacon(t)
	other := bytes.Clone(wire)
	self := c.Self()
	copy(other[1:], self[:])
	for name, bad := range map[string][]byte{"ErrOther": other, "ErrAltered": append(bytes.Clone(wire[:len(wire)-1]), wire[len(wire)-1]^1), "ErrFormat": wire[1:]} {
		if fresh, err := a.TakeBeacon(bad); fresh || !errors.Is(err, node.ErrNotBeacon) {
			t.Errorf("%s: %v, %v", name, fresh, err)
		}
	}
	l.enrol(t, func(r *territory.Roster) { r.Hubs[1].State = territory.HubExpelled })
	if fresh, err := a.TakeBeacon(wire); fresh || !errors.Is(err, node.ErrNotBeacon) {
		t.Errorf("expelled: %v, %v", fresh, err)
	}
	if wire, _, err := b.Beacon(); wire != nil || err != nil {
		t.Errorf("an expelled hub speaks: %v", err)
	}
}
