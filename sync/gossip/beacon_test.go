package gossip_test

import (
	"bytes"
	"testing"
	"time"

	"relais/node"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// TestBeaconPassesOn: a sign of life that one hub was told reaches the others, from
// hand to hand; one that was altered reaches nobody.
func TestBeaconPassesOn(t *testing.T) {
	l := newLand(t)
	a, b, c := l.add(t, true, nil, nil), l.add(t, true, nil, nil), l.add(t, true, nil, nil)
	l.start(t)
	l.met(t)
	wire, _, err := c.Beacon() // it does not send this one itself
	check(t, err)
	altered := bytes.Clone(wire)
	altered[len(altered)-1] ^= 1
	for _, beacon := range [][]byte{altered, wire} {
		check(t, c.link.Send(a.Self(), link.TypeBeacon, beacon))
	}
	for _, s := range []*site{a, b} {
		linktest.Eventually(t, 5*time.Second, "it is known whom c hears", func() bool { return s.says(t, c) != nil })
		if got := s.Propagation(); got.Of != 1 {
			t.Errorf("%+v", got)
		}
	}
}

// says is what s shows of the other's last word.
func (s *site) says(t *testing.T, other *site) *node.Said {
	t.Helper()
	v, err := s.Territory(t.Context())
	check(t, err)
	for _, h := range v.Hubs {
		if h.Hub.ID == other.Self() {
			return h.Said
		}
	}
	return nil
}
