package node_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"relais/node"
	"relais/node/fault"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// newKeeper is a hub that keeps the root of its territory, and somebody of the
// département with codes.
func newKeeper(t *testing.T) (*hub, *land, *node.Actor, func() string) {
	t.Helper()
	l := newLand(t)
	root, err := territory.NewRoot("demo", "Territoire de démonstration", l.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.rootKey = root.Public()
	h := l.newHub(t, "Valbrume")
	l.newHub(t, "Port-Exemple")
	roster := l.roster()
	roster.Version = 0 // issued as the first
	signed, err := root.Issue(roster, l.clock.Now(), territory.RosterDays)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range l.hubs {
		if err := h.InstallRoster(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.KeepRoot(t.Context(), nil, root); err != nil {
		t.Fatal(err)
	}
	account, err := h.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "alex", Name: people.Name{Given: "Alex", Family: "Modèle"}, Role: people.RoleAdministrator,
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := h.Actor(t.Context(), account.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return h, l, &by, func() string {
		t.Helper()
		key, err := otp.NewKeyFromURL(account.TOTP)
		if err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(30 * time.Second) // each code serves once
		code, err := totp.GenerateCode(key.Secret(), l.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
}

// TestIfVersion: an edition of a roster that is no longer the present one is
// refused before its code is used up, and the twin without the condition is made.
func TestIfVersion(t *testing.T) {
	h, _, by, next := newKeeper(t)
	other := h.Roster().Hubs[1].ID
	s := h.Roster().Structures[0]
	code := next()
	stale := node.IfVersion(h.Roster().Version + 1)
	_, put := h.PutStructure(t.Context(), by, code, s, stale)
	for verb, err := range map[string]error{
		"renew": h.RenewRoster(t.Context(), by, code, 90, stale), "rotate": h.RotateRoot(t.Context(), by, code, stale),
		"expel": h.Expel(t.Context(), by, code, other, stale), "structure": put,
	} {
		if !fault.Is(err, fault.Stale) {
			t.Errorf("%s: %v, want Stale", verb, err)
		}
	}
	if v := h.Roster().Version; v != 1 {
		t.Fatalf("roster %d after refusals", v)
	}
	if err := h.RenewRoster(t.Context(), by, code, 90, node.IfVersion(1)); err != nil {
		t.Errorf("the code was used up by a refusal: %v", err)
	}
	if err := h.RenewRoster(t.Context(), by, next(), 90, node.IfVersion(1)); !fault.Is(err, fault.Stale) {
		t.Errorf("sent twice: %v", err)
	}
	if err := h.RenewRoster(t.Context(), by, next(), 90); err != nil || h.Roster().Version != 3 {
		t.Errorf("without a condition: %v, roster %d", err, h.Roster().Version)
	}
}

func TestPutStructure(t *testing.T) {
	h, _, by, next := newKeeper(t)
	good := territory.Structure{Name: " France  Services ", SIRET: "123 456 789 00012", State: territory.StructureOpen, Scopes: []string{"argent"}}
	for field, change := range map[string]func(*territory.Structure){
		"name":    func(s *territory.Structure) { s.Name = " " },
		"address": func(s *territory.Structure) { s.Address = "1 rue\x00" },
		"siret":   func(s *territory.Structure) { s.SIRET = "12345678900a12" },
		"scopes":  func(s *territory.Structure) { s.Scopes = []string{"lottery"} },
	} {
		t.Run(field, func(t *testing.T) {
			bad := good
			change(&bad)
			if _, err := h.PutStructure(t.Context(), by, "000000", bad); !fault.Is(err, fault.Invalid) || fault.Of(err).Field != field {
				t.Errorf("%v on %q", err, fault.Of(err).Field)
			}
		})
	}
	t.Run("ErrTaken", func(t *testing.T) {
		bad := good
		bad.Name = h.Roster().Structures[0].Name
		if _, err := h.PutStructure(t.Context(), by, next(), bad); !fault.Is(err, fault.Conflict) || fault.Of(err).Field != "name" {
			t.Error(err)
		}
	})
	t.Run("ErrNotListed", func(t *testing.T) {
		bad := good
		bad.ID = territory.StructureID{9}
		if _, err := h.PutStructure(t.Context(), by, next(), bad); !fault.Is(err, fault.NotFound) || !errors.Is(err, territory.ErrNotListed) {
			t.Error(err)
		}
	})
	made, err := h.PutStructure(t.Context(), by, next(), good)
	if err != nil {
		t.Fatal(err)
	}
	listed, found := h.Roster().Structure(made.ID)
	if !found || listed.Name != "France Services" || listed.SIRET != "12345678900012" {
		t.Errorf("%+v", listed)
	}
}

// TestHubView: what the page of a hub shows, before and after its expulsion.
func TestHubView(t *testing.T) {
	h, l, by, next := newKeeper(t)
	other := h.Roster().Hubs[1].ID
	t.Run("ErrNotListed", func(t *testing.T) {
		if _, err := h.Hub(t.Context(), territory.HubID{9}); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
	h.PeerCompared(other, l.clock.Now())
	v, err := h.Hub(t.Context(), other)
	if err != nil || v.Hub.Name != "Port-Exemple" || !v.Connected || v.Self || v.Forked || len(v.Ends) != 0 || len(v.Structures) != 1 {
		t.Fatalf("%+v: %v", v, err)
	}
	author(t, l.hubs[1], l.notice(record.NewStopCode()))
	signAll(t, l.hubs[1])
	pull(t, h, l.hubs[1])
	if v, err = h.Hub(t.Context(), other); err != nil || len(v.Ends) != 1 || v.Ends[0].Seq != 1 || v.Records != 1 {
		t.Fatalf("ends %+v of %d records: %v", v.Ends, v.Records, err)
	}
	ends := v.Ends
	if err := h.Expel(t.Context(), by, next(), other); err != nil {
		t.Fatal(err)
	}
	if v, err = h.Hub(t.Context(), other); err != nil || v.Hub.State != territory.HubExpelled {
		t.Errorf("%+v: %v", v.Hub, err)
	}
	if diff := cmp.Diff(ends, v.Hub.Cuts); diff != "" {
		t.Errorf("the cuts are not the ends that were shown: %s", diff)
	}
	if v, err = h.Hub(t.Context(), h.Self()); err != nil || !v.Self || !v.Connected {
		t.Errorf("%+v: %v", v, err)
	}
}
