package gossip_test

import (
	"net"
	"testing"

	"github.com/hashicorp/memberlist"

	"relais/node/territory"
	"relais/sync/link/linktest"
)

// member is a node as memberlist would announce it.
func member(id territory.HubID) *memberlist.Node {
	ip := make(net.IP, net.IPv6len)
	ip[0] = 0xfd
	copy(ip[1:], id[:])
	return &memberlist.Node{Name: id.String(), Addr: ip, Port: 7443}
}

func TestOnlyTheRosterIsAdmitted(t *testing.T) {
	w := newWorld()
	a, b, gone := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	w.terr.Update(gone.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	service := linktest.NewHub(t)
	w.terr.Change(func(r *territory.Roster) {
		r.National = &territory.National{Index: 900, ID: service.ID, Identity: linktest.SPKI(t, service.Identity)}
	})
	if err := a.pool.NotifyAlive(member(b.ID)); err != nil {
		t.Errorf("a hub of the roster: %v", err)
	}
	elsewhere := member(b.ID)
	elsewhere.Addr = net.IPv4(127, 0, 0, 1)
	for name, n := range map[string]*memberlist.Node{
		"stranger": member(linktest.NewHub(t).ID), "expelled": member(gone.ID), "national": member(service.ID),
		"elsewhere": elsewhere, "nameless": {Name: "node-1"},
	} {
		if err := a.pool.NotifyAlive(n); err == nil {
			t.Errorf("%s is admitted", name)
		}
	}
	newcomer := member(linktest.NewHub(t).ID)
	if err := a.pool.NotifyMerge([]*memberlist.Node{member(b.ID), newcomer}); err != nil {
		t.Errorf("a hub that only a newer roster knows spoils the merge: %v", err)
	}
	if err := a.pool.NotifyMerge([]*memberlist.Node{{Name: "node-1"}}); err == nil {
		t.Error("a list of something else is merged")
	}
}

func TestStateDoesNotGrowWithRecords(t *testing.T) {
	w := newWorld()
	a := w.add(t, linktest.Options{}, nil)
	a.mem.write("one")
	before := len(a.pool.LocalState(true))
	for range 1000 {
		a.mem.write("and many more")
	}
	if after := len(a.pool.LocalState(false)); after != before || after > 100 {
		t.Errorf("push/pull carries %d octets after 1,000 records, %d before", after, before)
	}
}
