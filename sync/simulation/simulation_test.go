package simulation_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestSimulation(t *testing.T) {
	made, err := shared()
	check(t, err)
	dir, err := os.MkdirTemp(made.dir, "seed-")
	check(t, err)
	defer os.RemoveAll(dir)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, dir)
		signed := w.sign(t)
		for _, h := range w.hubs {
			h.start(t)
			check(t, h.InstallRoster(t.Context(), signed))
		}
		defer w.stop()
		time.Sleep(2 * time.Minute)
		for _, h := range w.hubs {
			for _, p := range h.link.Peers() {
				t.Log(h.host, p)
			}
		}
	})
}
