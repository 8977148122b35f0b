package node_test

import (
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

// stranger is a helper of a structure that this hub also serves.
func (d *desk) stranger(t testing.TB) node.Actor {
	t.Helper()
	other := territory.Structure{
		ID: id.Random[territory.StructureID](), Name: "Autre structure", State: territory.StructureOpen,
		Scopes: allScopes(), Serving: []territory.HubID{d.Self()},
	}
	d.land.enrol(t, func(r *territory.Roster) { r.Structures = append(r.Structures, other) })
	e, err := d.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "autre", Name: people.Name{Given: "Maxime", Family: "Autre"}, Structure: other.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	by, err := d.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func TestAccompaniments(t *testing.T) {
	d := newDesk(t)
	visit := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureTrain}
	first, err := d.OpenAccompaniment(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("DoubleSubmit", func(t *testing.T) {
		d.land.clock.Advance(time.Second)
		again, err := d.OpenAccompaniment(t.Context(), d.by, visit)
		if err != nil || again.Accompaniment != first.Accompaniment || d.rows(t, "accompaniments") != 1 {
			t.Errorf("a second visit was opened: %+v, %v", again, err)
		}
	})
	t.Run("ErrInvalid", func(t *testing.T) {
		for field, change := range map[string]func(*node.NewAccompaniment){
			"id":      func(a *node.NewAccompaniment) { a.ID = mediation.AccompanimentID{} },
			"posture": func(a *node.NewAccompaniment) { a.Posture = "regarde" },
			"theme":   func(a *node.NewAccompaniment) { a.Theme = "banque" },
		} {
			a := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureDo}
			change(&a)
			_, err := d.OpenAccompaniment(t.Context(), d.by, a)
			refused(t, err, fault.Invalid, field)
		}
	})
	t.Run("ErrOtherStructure", func(t *testing.T) {
		other := d.stranger(t)
		_, err := d.Accompaniment(t.Context(), other, visit.ID)
		refused(t, err, fault.NotFound, "")
		_, err = d.OpenAccompaniment(t.Context(), other, visit)
		refused(t, err, fault.NotFound, "")
		refused(t, d.CloseAccompaniment(t.Context(), other, visit.ID), fault.NotFound, "")
		if list, err := d.Today(t.Context(), other, 10); err != nil || len(list) != 0 {
			t.Errorf("another structure's day holds %d visits, %v", len(list), err)
		}
	})
	t.Run("ErrAdministrator", func(t *testing.T) {
		admin := node.Actor{Helper: d.by.Helper, Structure: d.by.Structure, Role: people.RoleAdministrator}
		_, err := d.Today(t.Context(), admin, 10)
		refused(t, err, fault.Forbidden, "")
	})
	t.Run("ErrSuspended", func(t *testing.T) {
		if err := d.SuspendAccount(t.Context(), d.by.Helper, d.land.clock.Now()); err != nil {
			t.Fatal(err)
		}
		_, err := d.OpenAccompaniment(t.Context(), d.by, node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureDo})
		refused(t, err, fault.Forbidden, "")
		if err := d.SuspendAccount(t.Context(), d.by.Helper, time.Time{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("CloseTwice", func(t *testing.T) {
		for range 2 {
			if err := d.CloseAccompaniment(t.Context(), d.by, visit.ID); err != nil {
				t.Error(err)
			}
		}
		if n, err := d.CountEntries(t.Context(), journal.KindAccompanimentClose); err != nil || n != 1 {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}

// Today begins at midnight on the wall, and a visit left open stays in view.
func TestToday(t *testing.T) {
	d := newDesk(t)
	left, closed := d.visit(t), d.visit(t)
	if err := d.CloseAccompaniment(t.Context(), d.by, closed); err != nil {
		t.Fatal(err)
	}
	names := func() (ids []mediation.AccompanimentID) {
		list, err := d.Today(t.Context(), d.by, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			ids = append(ids, v.ID)
		}
		return ids
	}
	if got := names(); len(got) != 2 {
		t.Errorf("today holds %d visits", len(got))
	}
	d.land.clock.Advance(13*time.Hour + 58*time.Minute) // 23:58 in Paris
	if got := names(); len(got) != 2 {
		t.Errorf("before midnight, today holds %d visits", len(got))
	}
	d.land.clock.Advance(2 * time.Minute)
	if got := names(); len(got) != 1 || got[0] != left {
		t.Errorf("after midnight, today holds %v", got)
	}
	later := d.visit(t)
	if got := names(); len(got) != 2 || got[0] != later {
		t.Errorf("newest first: %v", got)
	}
	if list, err := d.Today(t.Context(), d.by, 1); err != nil || len(list) != 1 {
		t.Errorf("at most one: %d, %v", len(list), err)
	}
}

func TestDraft(t *testing.T) {
	d := newDesk(t)
	visit := d.visit(t)
	empty, err := d.Draft(t.Context(), d.by, visit)
	if err != nil || empty.Version != 0 || empty.Accompaniment != visit {
		t.Fatalf("the draft of a new visit: %+v, %v", empty, err)
	}
	// Step by step, as the form does.
	step := empty
	step.Person = people.Beneficiary{Name: people.Name{Given: " Denise", Family: "Le  Goff "}}
	step, err = d.SaveDraft(t.Context(), d.by, step)
	if err != nil || step.Version != 1 || step.Person.Name.Full() != "Denise Le Goff" {
		t.Fatalf("first step: %+v, %v", step, err)
	}
	view, err := d.Accompaniment(t.Context(), d.by, visit)
	if err != nil || !view.HasDraft || view.Person == nil || view.Person.Name.Full() != "Denise Le Goff" || view.HelperName != "Camille Exemple" {
		t.Errorf("the visit shows %+v, %v", view, err)
	}
	step.Lines = []mandate.Line{{Service: "caf.fr"}}
	if step, err = d.SaveDraft(t.Context(), d.by, step); err != nil || step.Version != 2 {
		t.Fatalf("second step: %+v, %v", step, err)
	}
	t.Run("ErrStale", func(t *testing.T) {
		old := step
		old.Version = 1
		_, err := d.SaveDraft(t.Context(), d.by, old)
		refused(t, err, fault.Stale, "")
		_, err = d.SaveDraft(t.Context(), d.by, wholeDraft(visit))
		refused(t, err, fault.Stale, "")
		if kept, err := d.Draft(t.Context(), d.by, visit); err != nil || kept.Version != 2 || kept.Lines[0].Service != "caf.fr" {
			t.Errorf("the draft became %+v, %v", kept, err)
		}
	})
	t.Run("ErrInvalid", func(t *testing.T) {
		for field, change := range map[string]func(*node.Draft){
			"birth_date": func(d *node.Draft) { d.Person.BirthDate = "hier" },
			"lines":      func(d *node.Draft) { d.Lines = []mandate.Line{{Scope: "banque"}} },
			"evidence":   func(d *node.Draft) { d.Evidence = "seen" },
			"term":       func(d *node.Draft) { d.Term = "FOREVER" },
		} {
			bad := step
			change(&bad)
			_, err := d.SaveDraft(t.Context(), d.by, bad)
			refused(t, err, fault.Invalid, field)
		}
	})
	t.Run("Incomplete", func(t *testing.T) {
		_, err := d.Recap(t.Context(), d.by, visit)
		refused(t, err, fault.Invalid, "person")
	})
	t.Run("ErrPosture", func(t *testing.T) {
		a := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureAccompany}
		if _, err := d.OpenAccompaniment(t.Context(), d.by, a); err != nil {
			t.Fatal(err)
		}
		_, err := d.SaveDraft(t.Context(), d.by, wholeDraft(a.ID))
		refused(t, err, fault.Conflict, "")
	})
	t.Run("ErrClosed", func(t *testing.T) {
		if err := d.CloseAccompaniment(t.Context(), d.by, visit); err != nil {
			t.Fatal(err)
		}
		_, err := d.Draft(t.Context(), d.by, visit)
		refused(t, err, fault.Conflict, "")
		if n := d.rows(t, "drafts"); n != 0 {
			t.Errorf("%d drafts are left", n)
		}
	})
	t.Run("ErrOtherStructure", func(t *testing.T) {
		mine := d.drafted(t)
		_, err := d.Draft(t.Context(), d.stranger(t), mine)
		refused(t, err, fault.NotFound, "")
	})
}

func TestRecap(t *testing.T) {
	d := newDesk(t)
	visit := d.drafted(t)
	recap, err := d.Recap(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	if recap.Structure != "France Services de Valbrume" || recap.Helper != "Camille Exemple" || len(recap.Articles) < 6 {
		t.Errorf("recap %+v", recap)
	}
	if want := d.land.clock.Now().Add(31 * 24 * time.Hour); !recap.Until.Equal(want) {
		t.Errorf("until %s, want %s", recap.Until, want)
	}
	d.land.clock.Advance(time.Hour)
	if later, err := d.Recap(t.Context(), d.by, visit); err != nil || later.Hash != recap.Hash {
		t.Errorf("an hour later the recap is another: %v", err)
	}
	t.Run("ErrScopeClosed", func(t *testing.T) {
		d.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Scopes = []string{"social"} })
		_, err := d.Recap(t.Context(), d.by, visit)
		refused(t, err, fault.Forbidden, "lines")
	})
	t.Run("ErrStructureSuspended", func(t *testing.T) {
		d.land.enrol(t, func(r *territory.Roster) { r.Structures[0].State = territory.StructureSuspended })
		_, err := d.Recap(t.Context(), d.by, visit)
		refused(t, err, fault.Forbidden, "")
	})
	t.Run("ErrNotServedHere", func(t *testing.T) {
		d.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = nil })
		_, err := d.Recap(t.Context(), d.by, visit)
		refused(t, err, fault.Forbidden, "")
	})
}
