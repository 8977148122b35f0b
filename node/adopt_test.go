package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// lose gives a closed hub a fresh identity key, as a recovery does.
func lose(t *testing.T, h *hub) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.Options.Signer = key
}

func adopt(t *testing.T, h *hub) node.Adoption {
	t.Helper()
	a, err := node.AdoptIdentity(t.Context(), h.Options)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAdoptIdentity: a hub whose identity died with its machine keeps every row,
// is nobody until the roster lists it, and then says again what was never signed.
func TestAdoptIdentity(t *testing.T) {
	l := newLand(t)
	valbrume, bus := l.newHub(t, "Valbrume"), l.newHub(t, "le bus")
	l.enrol(t)
	here := l.desk(t, valbrume, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	told, untold := here.signed(t), here.grant(t)
	before := valbrume.Keys()
	t.Run("ErrOtherIdentity", func(t *testing.T) {
		signAll(t, valbrume)
		untold = here.grant(t)
		if _, err := valbrume.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		lose(t, valbrume)
		if _, err := node.Open(t.Context(), valbrume.Options); !errors.Is(err, node.ErrOtherIdentity) {
			t.Fatalf("Open: %v", err)
		}
	})
	rowsBefore := map[string]int{}
	a := adopt(t, valbrume)
	if !a.Done || a.Before != before.Hub || a.Keys.Hub == before.Hub || a.Keys.Recipient != before.Recipient || len(a.Cuts) != 1 || a.Cuts[0].Seq != 2 || a.Waiting != 1 {
		t.Fatalf("%+v", a)
	}
	if again := adopt(t, valbrume); again.Done || again.Keys.Hub != a.Keys.Hub || len(again.Cuts) != 1 || again.Before != a.Before {
		t.Errorf("a second time: %+v", again)
	}
	valbrume.open(t)
	here.hub = valbrume
	for _, table := range []string{"mandates", "records", "notices", "persons"} {
		rowsBefore[table] = here.rows(t, table)
	}

	t.Run("unlisted", func(t *testing.T) {
		for _, m := range []mandate.ID{told, untold} {
			if v, err := here.Mandate(t.Context(), here.by, m); err != nil || v.Beneficiary.Name.Given == "" {
				t.Errorf("mandate %s: %v", m, err)
			}
		}
		signAll(t, valbrume)
		if n := here.rows(t, "records"); n != rowsBefore["records"] || valbrume.Self() != a.Keys.Hub {
			t.Errorf("%d records, hub %s", n, valbrume.Self())
		}
		_, _, err := valbrume.Author(t.Context(), l.stop(told, 0))
		refused(t, err, fault.Forbidden, "")
	})

	l.enrol(t, func(r *territory.Roster) {
		replaced(r, before, a.Cuts)
		r.Structures[0].Serving = append(r.Structures[0].Serving, before.Hub) // what it said for the structure stands
	})
	signAll(t, valbrume)
	meet(t, valbrume, bus)
	log := record.LogID{Hub: a.Keys.Hub, Incarnation: 1}
	for _, h := range []*hub{valbrume, bus} {
		if state, err := h.LogState(t.Context(), log); err != nil || state.Head != 1 || state.Forked != 0 {
			t.Errorf("%s: the new log is %+v (%v)", h.Name(), state, err)
		}
		for _, m := range []mandate.ID{told, untold} {
			if s := standing(t, h, m); s.Notices != 1 || s.Conflict() {
				t.Errorf("%s: mandate %s stands as %+v", h.Name(), m, s)
			}
		}
	}
	for table, want := range rowsBefore {
		if n := here.rows(t, table); n != want {
			t.Errorf("%d rows of %s, want %d", n, table, want)
		}
	}

	t.Run("dossier", func(t *testing.T) {
		sealed, err := valbrume.Dossier(t.Context(), untold, bus.Self())
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.PutDossier(t.Context(), untold, sealed); err != nil {
			t.Errorf("the bus refuses the dossier: %v", err)
		}
		if _, err := here.Mandate(t.Context(), here.by, untold); err != nil {
			t.Error(err)
		}
	})
	t.Run("journal", func(t *testing.T) {
		if _, err := valbrume.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		report, err := node.VerifyFolder(t.Context(), valbrume.Options.Dir)
		if err != nil || !report.OK {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// replaced is what add-hub --replace does: the first hub of the roster takes an
// index of its own, and who it was keeps its entry, closed.
func replaced(r *territory.Roster, before node.PublicKeys, cuts []territory.Cut) {
	r.Hubs[0].Index = 9
	r.Hubs = append(r.Hubs, territory.Hub{
		Index: 1, ID: before.Hub, Name: "Valbrume (avant)", Identity: before.Identity, Witness: before.Witness,
		Recipient: before.Recipient, Assurance: territory.AssuranceSoftware, State: territory.HubExpelled,
		Cuts: cuts,
	})
}

// TestReissueStops: a stop that was never signed is never lost, through two
// recoveries in a row.
func TestReissueStops(t *testing.T) {
	l, a, b, _ := three(t)
	n := l.notice(record.NewStopCode())
	author(t, b, n)
	signAll(t, b)
	meet(t, a, b)
	author(t, a, l.stop(n.Mandate, 0))
	before := a.Keys()
	for range 2 {
		lose(t, a)
		if got := adopt(t, a); got.Waiting != 1 || len(got.Cuts) != 0 {
			t.Fatalf("%+v", got)
		}
		a.open(t)
		if s := standing(t, a, n.Mandate); !s.All {
			t.Fatal("a recovery revived a mandate")
		}
	}
	l.enrol(t, func(r *territory.Roster) { replaced(r, before, nil) })
	signAll(t, a)
	meet(t, a, b)
	if s := standing(t, b, n.Mandate); !s.All {
		t.Error("the stop never reached the others")
	}
	if v, err := a.Territory(t.Context()); err != nil || v.Waiting != 0 {
		t.Errorf("%d wait still (%v)", v.Waiting, err)
	}
}

func TestAdoptIdentityErrNoFolder(t *testing.T) {
	l := newLand(t)
	o := l.newHub(t, "Valbrume").Options
	o.Dir = t.TempDir()
	if _, err := node.AdoptIdentity(t.Context(), o); !errors.Is(err, node.ErrNoFolder) {
		t.Errorf("got %v", err)
	}
}
