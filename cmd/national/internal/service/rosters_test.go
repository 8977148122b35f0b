package service_test

import (
	"testing"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/fault"
	"relais/node/territory"
)

// TestRotation: the service follows the root that its roster announced, durably,
// and the old one is worth nothing afterwards.
func TestRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 1)
		root, err := territory.NewRoot("demo", "Territoire de démonstration", start)
		check(t, err)
		issue := func(by territory.Root) []byte {
			t.Helper()
			signed, err := by.Issue(g.roster, start, 400)
			check(t, err)
			return signed
		}
		turn := func(r territory.Root) territory.Root {
			t.Helper()
			turned, err := r.Turn()
			check(t, err)
			return turned
		}
		g.rootKey = root.Public()
		first := issue(root)
		s := g.openWith(t, first)
		second := turn(root)
		byOld, byNext := *g.roster, issue(second)
		stale, err := root.Issue(&byOld, start, 400) // a twin of the same version
		check(t, err)
		third := turn(second)
		byThird := issue(third)
		if err := s.InstallRoster(t.Context(), byThird); !fault.Is(err, fault.Invalid) {
			t.Fatalf("two rotations by one hash: %v", err)
		}
		check(t, s.InstallRoster(t.Context(), byNext))
		check(t, s.InstallRoster(t.Context(), byNext))
		if err := s.InstallRoster(t.Context(), stale); !fault.Is(err, fault.Invalid) {
			t.Errorf("the old root still signs: %v", err)
		}
		check(t, s.InstallRoster(t.Context(), byThird))
		check(t, s.Close())
		key, err := service.LoadIdentity(g.dir)
		check(t, err)
		again, err := service.Open(t.Context(), service.Options{Database: g.database.At, Listen: "127.0.0.1:0", Identity: key})
		check(t, err)
		defer again.Close()
		if again.Roster().Version != g.roster.Version || again.Roster().Root != third.Public() {
			t.Errorf("opens with roster %d", again.Roster().Version)
		}
		if err := again.InstallRoster(t.Context(), stale); !fault.Is(err, fault.Invalid) {
			t.Errorf("after a restart the old root signs: %v", err)
		}
	})
}
