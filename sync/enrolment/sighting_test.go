package enrolment_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/enrolment"
)

// looked makes a hub that invites, and counts how often its roster is fetched.
func looked(t *testing.T) (h *host, looks *atomic.Int32) {
	t.Helper()
	looks = new(atomic.Int32)
	var serve http.Handler
	h = newHost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			looks.Add(1)
		}
		serve.ServeHTTP(w, r)
	}))
	serve = enrolment.NewHandler(h, nil)
	return h, looks
}

// TestLooksOnce: a hub that waits fetches the roster once, and again when the one
// it has names the hub that answers no more.
func TestLooksOnce(t *testing.T) {
	h, looks := looked(t)
	bus := newNewcomer(t)
	i, request := h.invitation(), bus.request(t)
	var s enrolment.Sighting
	ask := func() error {
		_, err := s.Ask(t.Context(), bus.Client, i, h.root.Public(), request)
		return err
	}
	for range 5 {
		check(t, ask())
	}
	if looks.Load() != 1 || h.asked() != 5 {
		t.Errorf("%d looks for %d questions", looks.Load(), h.asked())
	}
	t.Run("what the hub says is no reason to look", func(t *testing.T) {
		h.err = fault.Errorf(fault.Forbidden, "Cette invitation a été retirée.", "withdrawn")
		defer func() { h.err = nil }()
		if err := ask(); !fault.Is(err, fault.Forbidden) || looks.Load() != 1 {
			t.Errorf("%d looks, %v", looks.Load(), err)
		}
	})
	t.Run("nobody that answers is", func(t *testing.T) {
		h.inviting.Store(false)
		if err := ask(); err == nil || looks.Load() != 1 {
			t.Errorf("%d looks, %v", looks.Load(), err)
		}
		h.inviting.Store(true)
		if err := ask(); err != nil || looks.Load() != 2 {
			t.Errorf("%d looks, %v", looks.Load(), err)
		}
	})
	t.Run("another invitation is", func(t *testing.T) {
		i = h.invitation()
		if err := ask(); err != nil || looks.Load() != 3 {
			t.Errorf("%d looks, %v", looks.Load(), err)
		}
	})
	t.Run("ErrOtherRootHeld", func(t *testing.T) {
		before := h.asked()
		if _, err := s.Ask(t.Context(), bus.Client, i, newHost(t, nil).root.Public(), request); !errors.Is(err, enrolment.ErrOtherRootHeld) || h.asked() != before {
			t.Error(err)
		}
	})
}

// pinned is a newcomer's folder: the root it pinned, and the roster it took.
type pinned struct {
	root string
	held *territory.Roster
}

func (p *pinned) RootKey() string { return p.root }

func (p *pinned) InstallRoster(_ context.Context, note []byte) error {
	var announced []byte
	if p.held != nil {
		announced = p.held.NextRoot
	}
	r, root, err := territory.OpenNext(note, p.root, announced)
	if err == nil && (p.held == nil || r.Version > p.held.Version) {
		p.held, p.root = r, root
	}
	return err
}

// TestTurnedMeanwhile: a root that turns between the question and the answer, or
// between the making of a hub and its question, strands nobody.
func TestTurnedMeanwhile(t *testing.T) {
	for name, before := range map[string]int{"while it waits": 0, "before it asks": 1, "both": 1} {
		t.Run(name, func(t *testing.T) {
			h, bus := newHost(t, nil), newNewcomer(t)
			i, folder, request := h.invitation(), &pinned{root: h.root.Public()}, bus.request(t)
			for range before {
				h.turn(t)
			}
			var s enrolment.Sighting
			ask := func() node.Enrolled {
				told, err := s.Ask(t.Context(), bus.Client, i, folder.RootKey(), request)
				check(t, err)
				return told
			}
			ask()
			if name != "before it asks" {
				h.turn(t)
			}
			h.answer = node.Enrolled{State: node.RequestApproved, Roster: h.note}
			told := ask()
			if err := folder.InstallRoster(t.Context(), told.Roster); !errors.Is(err, territory.ErrForged) {
				t.Fatalf("the roster is believed by itself: %v", err)
			}
			check(t, s.Install(t.Context(), bus.Client, i, folder, told.Roster))
			if folder.RootKey() != h.root.Public() || folder.held.Version != h.roster.Version {
				t.Errorf("holds %d", folder.held.Version)
			}
		})
	}
}
