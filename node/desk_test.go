package node_test

import (
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

// desk is a hub of a territory with a helper signed in.
type desk struct {
	*hub
	land  *land
	by    node.Actor
	enrol node.Enrolment
}

// newDesk makes a territory of one hub and its first helper.
func newDesk(t testing.TB, change ...func(*territory.Roster)) *desk {
	t.Helper()
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	l.enrol(t, change...)
	return l.desk(t, h, "camille", people.Name{Given: "Camille", Family: "Exemple"})
}

// desk enrols a helper of the one structure at a hub.
func (l *land) desk(t testing.TB, h *hub, login string, name people.Name) *desk {
	t.Helper()
	e, err := h.EnrolHelper(t.Context(), nil, node.NewHelper{Login: login, Name: name, Structure: l.office})
	if err != nil {
		t.Fatal(err)
	}
	by, err := h.Actor(t.Context(), e.Helper)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{hub: h, land: l, by: by, enrol: e}
}

// code waits for the next TOTP code and reads it.
func (d *desk) code(t testing.TB) string {
	t.Helper()
	d.land.clock.Advance(30 * time.Second)
	return d.codeNow(t)
}

func (d *desk) codeNow(t testing.TB) string {
	t.Helper()
	seed, err := people.ParseURI(d.enrol.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	return seed.Code(people.Step(d.land.clock.Now()))
}

// visit opens a visit in the posture that leads to a mandate.
func (d *desk) visit(t testing.TB) mediation.AccompanimentID {
	t.Helper()
	a := node.NewAccompaniment{ID: id.Random[mediation.AccompanimentID](), Posture: mediation.PostureDo, Theme: "argent"}
	if _, err := d.OpenAccompaniment(t.Context(), d.by, a); err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// wholeDraft is a draft that may become a mandate.
func wholeDraft(visit mediation.AccompanimentID) node.Draft {
	return node.Draft{
		Accompaniment: visit,
		Person: people.Beneficiary{
			Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: "12/03/1948", BirthPlace: "Quimper", Contact: "06 12 34 56 78",
		},
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
		Evidence:     mandate.EvidenceDocument,
		Lines: []mandate.Line{
			{Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt"}},
			{Scope: mandate.Social, Service: "ameli.fr", Acts: []string{"demander une attestation de droits"}},
		},
		Term: mandate.Month,
	}
}

// drafted opens a visit and fills in its draft.
func (d *desk) drafted(t testing.TB) mediation.AccompanimentID {
	t.Helper()
	visit := d.visit(t)
	if _, err := d.SaveDraft(t.Context(), d.by, wholeDraft(visit)); err != nil {
		t.Fatal(err)
	}
	return visit
}

// approve approves the recap of a visit as it stands.
func (d *desk) approve(t testing.TB, visit mediation.AccompanimentID) (mandate.ID, error) {
	t.Helper()
	recap, err := d.Recap(t.Context(), d.by, visit)
	if err != nil {
		t.Fatal(err)
	}
	return d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: d.code(t)})
}

// grant makes a mandate that awaits its paper.
func (d *desk) grant(t testing.TB) mandate.ID {
	t.Helper()
	m, err := d.approve(t, d.drafted(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// signed makes a mandate whose copies are signed.
func (d *desk) signed(t testing.TB) mandate.ID {
	t.Helper()
	m := d.grant(t)
	if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	return m
}

// act is a use of a line with the person there.
func act(m mandate.ID, line uint8) node.NewAct {
	return node.NewAct{ID: id.Random[mandate.ActID](), Mandate: m, Line: line, Channel: mandate.ActOnline, Present: true, Note: "Avis téléchargé."}
}

// refused checks that an error is a fault of the code, on the field if one is given.
func refused(t testing.TB, err error, code fault.Code, field string) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Code != code || field != "" && f.Field != field {
		t.Errorf("want a fault %s on %q, got %v (%+v)", code, field, err, f)
	}
}

// rows counts the rows of a table.
func (d *desk) rows(t testing.TB, table string) int {
	t.Helper()
	n, err := d.CountRows(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
