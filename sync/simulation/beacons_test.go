package simulation_test

import (
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"relais/node"
)

// TestWhoHearsWhom: every hub shows of every other whom it hears, and how long its
// word took; and of a territory that is cut in two, each part what it knows.
func TestWhoHearsWhom(t *testing.T) {
	made, err := shared()
	check(t, err)
	dir, err := os.MkdirTemp(made.dir, "beacons-")
	check(t, err)
	defer os.RemoveAll(dir)
	runtime.GC() // see simulate
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, dir, none)
		w.edit(t, func() {})
		defer w.stop()
		for _, h := range w.hubs {
			h.start(t)
			check(t, h.InstallRoster(t.Context(), w.signed))
		}
		time.Sleep(12 * time.Minute) // two beacons of each, at the least
		for _, h := range w.hubs {
			for other, said := range h.saidBy(t) {
				switch {
				case said == nil || len(said.Misses) > 0 || said.Roster != w.roster.Version:
					t.Errorf("%s shows of %s %+v", h.host, other, said)
				case said.Delay > 5*time.Second: // a lost segment costs 200 ms each time
					t.Errorf("the word of %s took %v to %s", other, said.Delay, h.host)
				}
			}
			if p := h.Propagation(); p.Of < len(w.hubs)-1 || p.P50 == 0 || p.P99 < p.P50 {
				t.Errorf("%s: %+v", h.host, p)
			}
		}
		w.fabric.divide(map[string]int{siteHost(3): 1, siteHost(4): 1})
		time.Sleep(25 * time.Minute)
		for i, h := range w.hubs {
			for j, other := range w.hubs {
				said := h.saidBy(t)[other.host]
				here, misses := i < 3, []string{siteName(3), siteName(4)}
				if !here {
					misses = []string{siteName(0), siteName(1), siteName(2)}
				}
				switch near := here == (j < 3); {
				case i == j:
				case near && (said == nil || !slices.Equal(said.Misses, misses)):
					t.Errorf("%s shows of %s %+v, want that it misses %v", h.host, other.host, said, misses)
				case !near && said != nil:
					t.Errorf("%s shows of %s, across the cut, %+v", h.host, other.host, said)
				}
			}
		}
	})
}

// saidBy is what the hub shows of the others' last word, by host.
func (h *hub) saidBy(t *testing.T) map[string]*node.Said {
	t.Helper()
	v, err := h.Territory(t.Context())
	check(t, err)
	by := make(map[string]*node.Said)
	for _, s := range v.Hubs {
		if !s.Self {
			by[h.world.hubs[slices.IndexFunc(h.world.hubs, func(o *hub) bool { return o.self() == s.Hub.ID })].host] = s.Said
		}
	}
	return by
}
