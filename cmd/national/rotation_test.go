package main

import (
	"testing"
	"time"

	"relais/cmd/national/internal/store/storetest"
	"relais/node/territory"
)

// TestRotations: a service that slept through two rotations of the root follows
// when a hub hands it the turns, and serves under the last after a restart.
func TestRotations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := newDemo(t, empty(t), 1)
		a := d.hubs[0]
		root, err := territory.NewRoot("demo", "Territoire de démonstration", time.Now())
		check(t, err)
		check(t, a.InstallRoster(t.Context(), d.next(t, func(r *territory.Roster) { r.NextRoot = territory.NextRootHash(root.Public()) })))
		a.mustPass(t)
		r, err := d.roster.Clone()
		check(t, err)
		for range 2 {
			signed, err := root.Issue(r, time.Now(), 400)
			check(t, err)
			check(t, a.InstallRoster(t.Context(), signed))
			root, err = root.Turn()
			check(t, err)
		}
		a.mustPass(t)
		if s := d.status(t); s.Roster != r.Version {
			t.Errorf("the service has roster %d, not %d", s.Roster, r.Version)
		}
		d.stop()
		d.stop = d.serve(t)
		a.mustPass(t)
		old := d.next(t, func(r *territory.Roster) { r.Version += 10 })
		d.stop() // a file is the service's while it runs
		d.install(t, exitProof, old)
	})
}
