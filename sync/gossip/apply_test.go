package gossip_test

import (
	"testing"
	"time"

	"relais/sync/link/linktest"
)

// TestComparedByItsOwnWord: what a push/pull says in a hub's name is no
// comparison with it. The twin: it makes both send their vector over the link,
// and that is one.
func TestComparedByItsOwnWord(t *testing.T) {
	w := newWorld()
	a, b, c := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	run(t, a, b, c)
	together(t, a, b, c)
	wire := a.mem.write("something to be behind with")
	everywhere(t, wire, a, b, c)
	b.link.Close() // out of reach, and whoever speaks in its name lies
	linktest.Eventually(t, 10*time.Second, "the line to b to be down", func() bool { return !a.link.Peer(b.ID).Connected })
	time.Sleep(1100 * time.Millisecond) // those who just met answered each other already
	a.forget()
	a.pool.MergeRemoteState(b.pool.LocalState(false), false)
	c.pool.MergeRemoteState(a.pool.LocalState(false), false) // what a's own push/pull brings to c
	linktest.Eventually(t, 10*time.Second, "a comparison with c", func() bool { return a.comparedWith(c) })
	if a.comparedWith(b) {
		t.Error("compared with a hub that is out of reach, on another's word")
	}
}

// forget forgets all comparisons.
func (h *hub) forget() {
	h.mem.mu.Lock()
	defer h.mem.mu.Unlock()
	clear(h.mem.compared)
}

func (h *hub) comparedWith(peer *hub) bool {
	h.mem.mu.Lock()
	defer h.mem.mu.Unlock()
	return !h.mem.compared[peer.ID].IsZero()
}

// A hub with a dead clock takes part, and its neighbours' screens are told.
func TestDeadClockIsTold(t *testing.T) {
	w := newWorld()
	a, b := w.add(t, linktest.Options{}, nil), w.add(t, linktest.Options{}, nil)
	dead := w.add(t, linktest.Options{Now: func() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }}, nil)
	run(t, a, b, dead)
	together(t, a, b, dead)
	linktest.Eventually(t, 20*time.Second, "word of the dead clock", func() bool {
		a.mem.mu.Lock()
		defer a.mem.mu.Unlock()
		return !a.mem.undated[dead.ID].IsZero()
	})
	if !a.mem.undated[b.ID].IsZero() {
		t.Error("a hub whose clock is right is named too")
	}
}
