package node_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
)

func TestJobs(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	if last, err := h.JobLast(t.Context(), "pass"); err != nil || !last.IsZero() {
		t.Errorf("before the first: %v, %v", last, err)
	}
	at := l.clock.Now()
	for _, when := range []time.Time{at, at.Add(-time.Hour)} { // the second arrives late
		if err := h.JobSucceeded(t.Context(), "pass", when); err != nil {
			t.Fatal(err)
		}
	}
	h.reopen(t)
	if last, err := h.JobLast(t.Context(), "pass"); err != nil || !last.Equal(at) {
		t.Errorf("%v, %v", last, err)
	}
}

func TestNationalPass(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	if _, found, err := h.LastNationalPass(t.Context()); err != nil || found {
		t.Errorf("before the first: %v, %v", found, err)
	}
	good := node.NationalPass{At: l.clock.Now(), Up: 4, Down: 1, OctetsOut: 900, OctetsIn: 400}
	failed := node.NationalPass{At: l.clock.Now().Add(time.Hour), Err: "connection refused"}
	for _, p := range []node.NationalPass{good, failed} {
		if err := h.RecordNationalPass(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	h.reopen(t)
	last, found, err := h.LastNationalPass(t.Context())
	if diff := cmp.Diff(failed, last); err != nil || !found || diff != "" {
		t.Errorf("%v, %v\n%s", found, err, diff)
	}
	f, err := h.Freshness(t.Context())
	if err != nil || !f.National.Equal(good.At) {
		t.Errorf("a failed pass refreshes nothing: %v, %v", f.National, err)
	}
}

func TestFreshness(t *testing.T) {
	l := newLand(t)
	valbrume, port := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	l.newHub(t, "le bus")
	fresh := func() node.Freshness {
		t.Helper()
		f, err := valbrume.Freshness(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if f := fresh(); f != (node.Freshness{Seen: 1, Expected: 1}) {
		t.Errorf("without a roster: %+v", f)
	}
	l.enrol(t)
	now := l.clock.Now()
	valbrume.PeerHeard(port.Self(), now)
	if f := fresh(); f != (node.Freshness{Seen: 2, Expected: 3}) {
		t.Errorf("after a word: %+v", f)
	}
	valbrume.PeerLost(port.Self(), now.Add(time.Second))
	if f := fresh(); f.Seen != 1 {
		t.Errorf("after the line was cut: %+v", f)
	}
	valbrume.PeerHeard(port.Self(), now.Add(2*time.Second))
	valbrume.PeerLost(port.Self(), now.Add(time.Second)) // told late
	if f := fresh(); f.Seen != 2 {
		t.Errorf("heard again: %+v", f)
	}
	valbrume.PeerCompared(port.Self(), now)
	valbrume.PeerCompared(port.Self(), now.Add(-time.Hour)) // arrives late
	if f := fresh(); !f.At.Equal(now) {
		t.Errorf("after a comparison: %+v", f)
	}
	l.clock.Advance(92 * time.Second)
	if f := fresh(); f.Seen != 1 || !f.At.Equal(now) {
		t.Errorf("after 90 s of silence: %+v", f)
	}
	valbrume.reopen(t)
	if f := fresh(); !f.At.Equal(now) || f.Expected != 3 {
		t.Errorf("after a restart: %+v", f)
	}
}

// A peer is shown as reached through another hub while it is reached.
func TestPeerThrough(t *testing.T) {
	l := newLand(t)
	valbrume, port := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	l.enrol(t)
	shown := func() (connected, through bool) {
		t.Helper()
		v, err := valbrume.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range v.Hubs {
			if h.Hub.ID == port.Self() {
				return h.Connected, h.Through
			}
		}
		t.Fatal("not on the page")
		return false, false
	}
	valbrume.PeerHeard(port.Self(), l.clock.Now())
	valbrume.PeerThrough(port.Self(), true)
	if connected, through := shown(); !connected || !through {
		t.Errorf("connected %v, through another %v", connected, through)
	}
	valbrume.PeerThrough(port.Self(), false)
	if connected, through := shown(); !connected || through {
		t.Errorf("connected %v, through another %v, once called directly", connected, through)
	}
	valbrume.PeerThrough(port.Self(), true)
	l.clock.Advance(92 * time.Second)
	if connected, through := shown(); connected || through {
		t.Errorf("connected %v, through another %v, after 92 s of silence", connected, through)
	}
}
