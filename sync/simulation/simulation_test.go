// Package simulation_test runs whole territories in one process, on a clock that
// costs nothing: real nodes with their stores, links, gossip and exchange, over a
// network in memory, in a bubble of testing/synctest. What happens to them is
// drawn from a seed; what must hold is looked at all the while (properties_test.go).
//
// The trap: the clock of a bubble moves only while every goroutine waits for
// something of the bubble, and a mutex is not of it. So nothing here, nor in what
// is simulated, may wait for time with a mutex held that another wants.
package simulation_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seeds = flag.Int("seeds", 200, "territories in the simulation")
	seed  = flag.Uint64("seed", 0, "the one territory to simulate again; 0: the first -seeds")
)

// moments is how much happens in one territory.
const moments = 14

func TestSimulation(t *testing.T) {
	first, n := uint64(1), *seeds // the same each time: a change that fails is to blame, and not the day
	if *seed != 0 {
		first, n = *seed, 1
	}
	var all counts
	for i := range uint64(n) {
		w := simulate(t, first+i, none)
		for p, broken := range w.broken {
			t.Errorf("seed %d: %s: %d times, first: %s", first+i, p, len(broken), broken[0])
		}
		if t.Failed() {
			t.Fatalf("again: go test ./sync/simulation -run TestSimulation -seed %d\n%s", first+i, w.tale())
		}
		all.add(w.count)
	}
	t.Logf("%d seeds: %+v", n, all)
}

// simulate plays one territory to its end.
func simulate(t *testing.T, seed uint64, planted bug) (w *world) {
	t.Helper()
	made, err := shared()
	check(t, err)
	dir, err := os.MkdirTemp(made.dir, "seed-")
	check(t, err)
	defer os.RemoveAll(dir)
	// yamux keeps timers for whoever comes next, which must not be of this bubble:
	// what two collections find unused is gone.
	runtime.GC()
	runtime.GC()
	t.Run(fmt.Sprint(seed), func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w = newWorld(t, seed, dir, planted)
			defer func() {
				if t.Failed() {
					t.Logf("seed %d\n%s", seed, w.tale())
				}
			}()
			w.play(t)
		})
	})
	return w
}

// play begins the territory, lets things happen, and looks.
func (w *world) play(t *testing.T) {
	w.edit(t, func() {})
	defer w.stop()
	for _, h := range w.hubs {
		h.start(t)
		check(t, h.InstallRoster(t.Context(), w.signed))
	}
	w.stir()
	time.Sleep(10 * time.Second)
	for _, i := range []int{0, 3} {
		w.told = append(w.told, "grant")
		w.grant(t, w.hubs[i])
	}
	for range moments {
		w.happens(t)
		pause := time.Duration(w.draw.Int64N(int64(20 * time.Second)))
		if w.draw.IntN(4) == 0 {
			pause += calmAfter
		}
		time.Sleep(pause)
		w.look(t)
	}
	w.settle(t)
	w.look(t)
	w.lookSettled(t)
	w.stop()
	w.lookFolders(t)
}

func (c *counts) add(o counts) {
	c.grants += o.grants
	c.stops += o.stops
	c.calm += o.calm
	c.restores += o.restores
	c.clones += o.clones
	c.expulsions += o.expulsions
	c.forgeries += o.forgeries
	c.alike += o.alike
	c.forgotten += o.forgotten
	c.confirmed += o.confirmed
}

// The twins: each property finds the bug that is planted for it.
func TestPlanted(t *testing.T) {
	for p, planted := range map[property][]bug{
		reaches: {swallowStops}, stays: {forgetStops}, alike: {stopUnsaid},
		allowed: {strayDossier, strayRecord, deafToRosters}, agrees: {loseRecord}, gone: {confirmOnly, riseAgain},
	} {
		for _, b := range planted {
			t.Run(fmt.Sprintf("%s/%d", p, b), func(t *testing.T) {
				const tries = 8
				for seed := range uint64(tries) {
					w := simulate(t, 1+seed, b)
					if broken := w.broken[p]; len(broken) > 0 {
						t.Logf("seed %d: %s", 1+seed, broken[0])
						return
					}
				}
				t.Errorf("not found in %d seeds", tries)
			})
		}
	}
}
