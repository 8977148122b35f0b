package node_test

import (
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// aMirror is a mandate made in Aidants Connect ten days ago, for a month.
func aMirror(given string) mandate.Mirror {
	return mandate.Mirror{
		Person: people.Beneficiary{Name: people.Name{Given: given, Family: "Le Goff"}, BirthDate: "12/03/1948"},
		Made:   "11/11/2026", Term: mandate.Month, Scopes: []mandate.Scope{mandate.Argent, mandate.Social},
	}
}

// batch is what a helper sends, her code fresh.
func (d *desk) batch(t testing.TB, mirrors ...mandate.Mirror) node.MirrorBatch {
	t.Helper()
	return node.MirrorBatch{ID: id.Random[node.BatchID](), Mirrors: mirrors, Paper: true, Code: d.code(t)}
}

// mirror enters mandates made in Aidants Connect.
func (d *desk) mirror(t testing.TB, mirrors ...mandate.Mirror) []mandate.ID {
	t.Helper()
	made, err := d.EnterMirrors(t.Context(), d.by, d.batch(t, mirrors...))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// dossierTo hands a mandate's dossier from one hub to another.
func dossierTo(t testing.TB, from, to *hub, m mandate.ID) {
	t.Helper()
	sealed, err := from.Dossier(t.Context(), m, to.Self())
	if err == nil {
		err = to.PutDossier(t.Context(), m, sealed)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestEnterMirrors: two at once, each a mandate of its own: the person named, the
// notice of regime 2, usable once she has the paper with its code.
func TestEnterMirrors(t *testing.T) {
	d := newDesk(t)
	made := d.mirror(t, aMirror("Denise"), aMirror("Yves"))
	if len(made) != 2 || made[0] == made[1] {
		t.Fatalf("made %v", made)
	}
	for i, given := range []string{"Denise", "Yves"} {
		view, err := d.Mandate(t.Context(), d.by, made[i])
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 11, 11, 0, 0, 0, 0, people.Zone("Europe/Paris"))
		if view.Regime != record.AidantsConnect || view.Beneficiary.Name.Given != given || view.State != mandate.StateAwaitingPaper ||
			!view.Start.Equal(start) || !view.End.Equal(mandate.Month.End(start)) || view.StopCode == nil || len(view.Lines) != 2 {
			t.Errorf("%+v", view.Mandate)
		}
		if notice, err := d.Notice(t.Context(), made[i]); err != nil || notice.Regime != record.AidantsConnect {
			t.Errorf("notice %+v, %v", notice, err)
		}
		if v, err := d.Usable(t.Context(), d.by, made[i], 1); err != nil || v.Why != mandate.WhyPaper {
			t.Errorf("before she has her paper: %+v, %v", v, err)
		}
		if err := d.ConfirmPaper(t.Context(), d.by, made[i], true, true); err != nil {
			t.Fatal(err)
		}
		if v, err := d.Usable(t.Context(), d.by, made[i], 1); err != nil || !v.Usable {
			t.Errorf("afterwards: %+v, %v", v, err)
		}
	}
	if n, err := d.CountEntries(t.Context(), journal.KindMandateMirror); err != nil || n != 2 {
		t.Errorf("%d entries, %v", n, err)
	}
	if report, err := node.VerifyFolder(t.Context(), d.Options.Dir); err != nil || !report.OK {
		t.Errorf("the journal: %+v, %v", report, err)
	}
}

// TestMirrorIsStopped: by its code at a kiosk and at a desk, as any other, and the
// hub that serves the structure has its dossier.
func TestMirrorIsStopped(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	l.enrol(t)
	d := l.desk(t, a, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	made := d.mirror(t, aMirror("Denise"), aMirror("Yves"))
	view, err := d.Mandate(t.Context(), d.by, made[0])
	if err != nil {
		t.Fatal(err)
	}
	signAll(t, a)
	meet(t, a, b)
	dossierTo(t, a, b, made[1])
	there := l.desk(t, b, "sacha", people.Name{Given: "Sacha", Family: "Exemple"})
	if got, err := b.Mandate(t.Context(), there.by, made[1]); err != nil || got.Beneficiary.Name.Given != "Yves" || got.StopCode != nil {
		t.Errorf("the dossier there: %+v, %v", got.Mandate, err)
	}
	if receipt, err := b.StopByCode(t.Context(), view.StopCode.String(), "borne"); err != nil || receipt.Mandates[0] != made[0] {
		t.Errorf("by its code: %+v, %v", receipt, err)
	}
	if _, err := b.StopAtDesk(t.Context(), there.by, node.DeskStop{Mandate: made[1], Lines: []uint8{2}, Reason: record.ReasonPerson}); err != nil {
		t.Error(err)
	}
	signAll(t, b)
	meet(t, b, a)
	for i, want := range []record.Standing{{Notices: 1, All: true}, {Notices: 1, Lines: 2}} {
		if got := standing(t, a, made[i]); got.All != want.All || got.Lines != want.Lines {
			t.Errorf("where it was entered: %+v", got)
		}
	}
}

// TestMirrorsOnce: one sending is one batch, and one mandate is entered once,
// also after it was stopped: it must not come back.
func TestMirrorsOnce(t *testing.T) {
	d := newDesk(t)
	b := d.batch(t, aMirror("Denise"), aMirror("Yves"))
	made, err := d.EnterMirrors(t.Context(), d.by, b)
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.EnterMirrors(t.Context(), d.by, b)
	if err != nil || len(again) != 2 || again[0] != made[0] || again[1] != made[1] {
		t.Errorf("sent twice: %v, %v; first %v", again, err, made)
	}
	stranger := helperOf(territory.StructureID{9})
	_, err = d.EnterMirrors(t.Context(), stranger, b)
	refused(t, err, fault.Conflict, "")
	if _, err := d.StopAtDesk(t.Context(), d.by, node.DeskStop{Mandate: made[1], Reason: record.ReasonPerson}); err != nil {
		t.Fatal(err)
	}
	other := aMirror("Yves")
	other.Person.Name = people.Name{Given: "YVES", Family: "le goff"}
	other.Scopes = []mandate.Scope{mandate.Social, mandate.Papiers}
	_, err = d.EnterMirrors(t.Context(), d.by, d.batch(t, aMirror("Anne"), other))
	refused(t, err, fault.Conflict, "entry_2_made")
	_, err = d.EnterMirrors(t.Context(), d.by, d.batch(t, aMirror("Anne"), aMirror("anne")))
	refused(t, err, fault.Conflict, "entry_2_made")
	if n := d.rows(t, "mandates"); n != 2 {
		t.Errorf("%d mandates: a batch that was refused left something", n)
	}
	apart := aMirror("Yves")
	apart.Scopes = []mandate.Scope{mandate.Papiers}
	d.mirror(t, apart)
}

func TestErrEnterMirrors(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, field string
		code        fault.Code
		change      func(*node.MirrorBatch)
	}{
		{"ErrNone", "", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors = nil }},
		{"ErrTooMany", "", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors = make([]mandate.Mirror, node.MaxMirrors+1) }},
		{"ErrNoPaper", "paper", fault.Invalid, func(b *node.MirrorBatch) { b.Paper = false }},
		{"ErrGiven", "entry_2_given", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors[1].Person.Name.Given = "" }},
		{"ErrBirth", "entry_1_birth_date", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors[0].Person.BirthDate = "hier" }},
		{"ErrOver", "entry_2_made", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors[1].Made = "1/10/2026" }},
		{"ErrScopes", "entry_1_scopes", fault.Invalid, func(b *node.MirrorBatch) { b.Mirrors[0].Scopes = nil }},
		{"ErrCode", "code", fault.Unauthenticated, func(b *node.MirrorBatch) { b.Code = "000000" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := d.batch(t, aMirror("Denise"), aMirror("Yves"))
			c.change(&b)
			_, err := d.EnterMirrors(t.Context(), d.by, b)
			refused(t, err, c.code, c.field)
			if err != nil && (strings.Contains(err.Error(), "Denise") || strings.Contains(err.Error(), "1948")) {
				t.Errorf("the error says who: %v", err)
			}
			if n := d.rows(t, "mandates"); n != 0 {
				t.Errorf("%d mandates", n)
			}
		})
	}
	t.Run("ErrForbidden", func(t *testing.T) {
		office := d.by
		office.Role = people.RoleAdministrator
		_, err := d.EnterMirrors(t.Context(), office, d.batch(t, aMirror("Denise")))
		refused(t, err, fault.Forbidden, "")
	})
	t.Run("ErrNotServed", func(t *testing.T) {
		d := newDesk(t)
		d.land.newHub(t, "Bus")
		d.land.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[1:] })
		_, err := d.EnterMirrors(t.Context(), d.by, d.batch(t, aMirror("Denise")))
		refused(t, err, fault.Forbidden, "")
	})
}
