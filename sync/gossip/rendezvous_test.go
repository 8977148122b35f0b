package gossip_test

import (
	"slices"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link/linktest"
)

// nowhere is the address of a hub that others cannot call.
func nowhere(string) string { return "" }

// TestBehindNAT: of four hubs two cannot be called. What is drawn up and stopped at
// one of these is known at the other; its dossier, which nobody else may hold, and
// the roster get there too; and one rendezvous is enough.
func TestBehindNAT(t *testing.T) {
	t.Parallel()
	l := newLand(t)
	ends := []*site{l.add(t, false, nil, nil), l.add(t, false, nil, nil)}
	desk, annex := l.add(t, true, nil, nowhere), l.add(t, true, nil, nowhere)
	l.start(t)
	defer l.stop()
	l.met(t)
	camille := l.helper(t, desk)

	through := func(at, other *site) bool {
		v, err := at.Territory(t.Context())
		check(t, err)
		for _, h := range v.Hubs {
			if h.Hub.ID == other.Self() {
				return h.Connected && h.Through
			}
		}
		return false
	}
	linktest.Eventually(t, 10*time.Second, "the page says who is reached through another", func() bool {
		return through(desk, annex) && through(annex, desk) && !through(desk, ends[0]) && !through(ends[0], desk)
	})

	first, code := camille.grant(t)
	second, code2 := camille.grant(t)
	linktest.Eventually(t, 20*time.Second, "mandates known everywhere, dossiers at the annex alone", func() bool {
		_, one := holds(t, annex, first)
		_, two := holds(t, annex, second)
		known, dossier := holds(t, ends[0], second)
		return one && two && known && !dossier
	})
	_, err := annex.StopByCode(t.Context(), code, "kiosk")
	check(t, err)
	linktest.Eventually(t, 10*time.Second, "the stop is known at the desk", func() bool { return stopped(t, desk, first) })

	check(t, annex.InstallRoster(t.Context(), l.sign(t)))
	linktest.Eventually(t, 10*time.Second, "the roster is at the desk", func() bool { return desk.Roster().Version == annex.Roster().Version })

	via := desk.link.Peer(annex.Self()).Via
	for _, s := range ends {
		if s.Self() == via {
			s.stop()
		}
	}
	_, err = annex.StopByCode(t.Context(), code2, "kiosk")
	check(t, err)
	linktest.Eventually(t, 10*time.Second, "with one rendezvous left, the stop is known at the desk", func() bool { return stopped(t, desk, second) })
}

// TestRendezvousOfALargeTerritory: where nobody keeps a session with everybody, a
// hub that cannot be called keeps one with the two at which it is looked for, and a
// record of one is known at all others.
func TestRendezvousOfALargeTerritory(t *testing.T) {
	t.Parallel()
	w := newWorld()
	hubs := make([]*hub, 12)
	for i := range hubs {
		var front func(string) string
		if i%2 == 0 {
			front = nowhere
		}
		hubs[i] = w.add(t, linktest.Options{}, front)
		hubs[i].pool.KeepSessions(1)
	}
	run(t, hubs...)
	linktest.Eventually(t, 30*time.Second, "every hub has two to be looked for at", func() bool {
		return !slices.ContainsFunc(hubs, func(h *hub) bool { return len(h.link.Rendezvous()) > 0 })
	})
	together(t, hubs...)
	everywhere(t, hubs[0].mem.write("from one that cannot be called"), hubs...)
	for _, h := range hubs {
		if h.ID == hubs[0].ID {
			continue
		}
		linktest.Eventually(t, 20*time.Second, "every hub calls it", func() bool { return h.link.Connect(t.Context(), hubs[0].ID) == nil })
	}
}

// TestBehindNATExpelled: a hub that is put out is reached through nobody, at once.
func TestBehindNATExpelled(t *testing.T) {
	t.Parallel()
	l := newLand(t)
	end := l.add(t, false, nil, nil)
	desk, annex := l.add(t, true, nil, nowhere), l.add(t, true, nil, nowhere)
	l.start(t)
	defer l.stop()
	l.met(t)
	for i := range l.roster.Hubs {
		if h := &l.roster.Hubs[i]; h.ID == annex.Self() {
			h.State, h.Cuts = territory.HubExpelled, nil
		}
	}
	check(t, desk.InstallRoster(t.Context(), l.sign(t)))
	linktest.Eventually(t, 10*time.Second, "the others let go of it", func() bool {
		return !desk.link.Peer(annex.Self()).Connected && !end.link.Peer(annex.Self()).Connected && end.link.Transit().Tunnels == 0
	})
	m, _ := l.helper(t, desk).grant(t)
	linktest.Eventually(t, 10*time.Second, "the others go on", func() bool { known, _ := holds(t, end, m); return known })
	if known, dossier := holds(t, annex, m); known || dossier {
		t.Error("an expelled hub learns of a mandate")
	}
}
