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

func TestRecordAct(t *testing.T) {
	d := newDesk(t)
	m := d.signed(t)
	first := act(m, 1)
	done, err := d.RecordAct(t.Context(), d.by, first)
	if err != nil || done.Line != 1 || done.Helper != d.by.Helper || !done.At.Equal(d.land.clock.Now()) {
		t.Fatalf("act %+v, %v", done, err)
	}
	t.Run("DoubleSubmit", func(t *testing.T) {
		d.land.clock.Advance(time.Minute)
		again, err := d.RecordAct(t.Context(), d.by, first)
		if err != nil || again != done || d.rows(t, "acts") != 1 {
			t.Errorf("a second act: %+v, %v", again, err)
		}
	})
	t.Run("ErrSameIDOtherLine", func(t *testing.T) {
		other := first
		other.Line = 2
		_, err := d.RecordAct(t.Context(), d.by, other)
		refused(t, err, fault.Conflict, "")
	})
	t.Run("Shown", func(t *testing.T) {
		view, err := d.Mandate(t.Context(), d.by, m)
		if err != nil || len(view.Acts) != 1 || view.Acts[0].Note != "Avis téléchargé." || view.Acts[0].HelperName != "Camille Exemple" {
			t.Errorf("acts %+v, %v", view.Acts, err)
		}
	})
	for name, c := range map[string]struct {
		change func(*node.NewAct)
		code   fault.Code
		field  string
		says   string
	}{
		"ErrLineOutside":    {func(a *node.NewAct) { a.Line = 3 }, fault.Forbidden, "", "n’est pas dans le mandat"},
		"ErrLineZero":       {func(a *node.NewAct) { a.Line = 0 }, fault.Forbidden, "", "n’est pas dans le mandat"},
		"ErrAbsentSignsIn":  {func(a *node.NewAct) { a.Present, a.SignsIn = false, true }, fault.Forbidden, "present", "se connecter"},
		"ErrAbsentPays":     {func(a *node.NewAct) { a.Present, a.Pays = false, true }, fault.Forbidden, "present", "payer"},
		"ErrChannel":        {func(a *node.NewAct) { a.Channel = "fax" }, fault.Invalid, "channel", "liste"},
		"ErrNote":           {func(a *node.NewAct) { a.Note = strings.Repeat("é", 1001) }, fault.Invalid, "note", "1 000"},
		"ErrNoID":           {func(a *node.NewAct) { a.ID = mandate.ActID{} }, fault.Invalid, "id", ""},
		"ErrUnknownMandate": {func(a *node.NewAct) { a.Mandate = id.Random[mandate.ID]() }, fault.NotFound, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := act(m, 1)
			c.change(&a)
			_, err := d.RecordAct(t.Context(), d.by, a)
			refused(t, err, c.code, c.field)
			if f := fault.Of(err); f != nil && !strings.Contains(f.Message, c.says) {
				t.Errorf("the message does not say %q: %s", c.says, f.Message)
			}
		})
	}
	if n := d.rows(t, "acts"); n != 1 {
		t.Errorf("%d acts after the refusals", n)
	}
	if n, err := d.CountEntries(t.Context(), journal.KindMandateRefused); err != nil || n != 4 {
		t.Errorf("%d refusals in the journal, %v", n, err)
	}
	t.Run("PresentSignsInAndPays", func(t *testing.T) {
		a := act(m, 2)
		a.SignsIn, a.Pays = true, true
		if _, err := d.RecordAct(t.Context(), d.by, a); err != nil {
			t.Error(err)
		}
	})
	t.Run("AbsentReads", func(t *testing.T) {
		a := act(m, 2)
		a.Present, a.Note = false, ""
		if _, err := d.RecordAct(t.Context(), d.by, a); err != nil {
			t.Error(err)
		}
	})
	t.Run("ColleagueMay", func(t *testing.T) {
		colleague := d.land.desk(t, d.hub, "sacha", people.Name{Given: "Sacha", Family: "Exemple"})
		if _, err := d.RecordAct(t.Context(), colleague.by, act(m, 1)); err != nil {
			t.Errorf("a colleague of the structure may not: %v", err)
		}
	})
	t.Run("ErrOtherStructure", func(t *testing.T) {
		other := d.stranger(t)
		_, err := d.RecordAct(t.Context(), other, act(m, 1))
		refused(t, err, fault.NotFound, "")
		if v, err := d.Usable(t.Context(), other, m, 1); err != nil || v.Usable || v.Why != mandate.WhyHelper {
			t.Errorf("verdict %+v, %v", v, err)
		}
	})
}

// The first act waits for the signed copy.
func TestActWaitsForThePaper(t *testing.T) {
	d := newDesk(t)
	m := d.grant(t)
	_, err := d.RecordAct(t.Context(), d.by, act(m, 1))
	refused(t, err, fault.Forbidden, "")
	if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RecordAct(t.Context(), d.by, act(m, 1)); err != nil {
		t.Error(err)
	}
}

// A mandate ends at its end, to the millisecond.
func TestActAtTheEnd(t *testing.T) {
	d := newDesk(t)
	m := d.signed(t)
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	d.land.clock.Advance(view.End.Sub(d.land.clock.Now()) - time.Millisecond)
	if _, err := d.RecordAct(t.Context(), d.by, act(m, 1)); err != nil {
		t.Errorf("a millisecond before the end: %v", err)
	}
	t.Run("ErrExpired", func(t *testing.T) {
		d.land.clock.Advance(time.Millisecond)
		_, err := d.RecordAct(t.Context(), d.by, act(m, 1))
		refused(t, err, fault.Forbidden, "")
		if got := fault.Of(err).Message; !strings.HasPrefix(got, "Ce mandat a expiré aujourd’hui à 10:00.") {
			t.Errorf("the message says %q", got)
		}
	})
}

// A refusal says when and where the person stopped it, as the helper would say
// it.
func TestStoppedSaysWhenAndWhere(t *testing.T) {
	l := newLand(t)
	valbrume, port := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	l.enrol(t, func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:1] })
	d := l.desk(t, valbrume, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m := d.grant(t)
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.ConfirmPaper(t.Context(), d.by, m, true, true); err != nil {
		t.Fatal(err)
	}
	signAll(t, valbrume)
	pull(t, port, valbrume)
	d.land.clock.Advance(time.Date(2026, 11, 21, 16, 58, 0, 0, time.UTC).Sub(d.land.clock.Now()))
	if _, err := port.StopByCode(t.Context(), view.StopCode.String(), "borne"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.RecordAct(t.Context(), d.by, act(m, 1)); err != nil {
		t.Errorf("before Valbrume learned of it: %v", err)
	}
	d.land.clock.Advance(2 * time.Minute)
	signAll(t, port)
	pull(t, valbrume, port)
	_, err = d.RecordAct(t.Context(), d.by, act(m, 1))
	refused(t, err, fault.Forbidden, "")
	want := "Ce mandat a été arrêté aujourd’hui à 17:58 à la borne de Port-Exemple. Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat."
	if got := fault.Of(err).Message; got != want {
		t.Errorf("the message says\n%s\nwant\n%s", got, want)
	}
	v, err := d.Usable(t.Context(), d.by, m, 1)
	if err != nil || v.Usable || v.Why != mandate.WhyStopped || v.Stop == nil || v.Stop.Where != port.Self() {
		t.Errorf("verdict %+v, %v", v, err)
	}
	row, err := d.Mandates(t.Context(), d.by, node.MandateFilter{Limit: 1})
	if err != nil || row[0].State != mandate.StateStopped || row[0].Stop == nil || row[0].Stop.WhereName != "Port-Exemple" {
		t.Errorf("the list says %+v, %v", row, err)
	}
}

// One line stopped at the desk leaves the other; done with ends it all.
func TestStoppedLineAndDone(t *testing.T) {
	d := newDesk(t)
	m := d.signed(t)
	if _, err := d.StopAtDesk(t.Context(), d.by, node.DeskStop{Mandate: m, Lines: []uint8{2}, Reason: record.ReasonPerson}); err != nil {
		t.Fatal(err)
	}
	_, err := d.RecordAct(t.Context(), d.by, act(m, 2))
	refused(t, err, fault.Forbidden, "")
	if got := fault.Of(err).Message; !strings.HasPrefix(got, "La ligne 2 de ce mandat a été arrêtée aujourd’hui à ") || !strings.Contains(got, "au relais de Valbrume") {
		t.Errorf("the message says %q", got)
	}
	if _, err := d.RecordAct(t.Context(), d.by, act(m, 1)); err != nil {
		t.Errorf("the other line: %v", err)
	}
	if view, err := d.Mandate(t.Context(), d.by, m); err != nil || view.State != mandate.StatePartly {
		t.Errorf("state %s, %v", view.State, err)
	}
	if _, err := d.StopAtDesk(t.Context(), d.by, node.DeskStop{Mandate: m, Reason: record.ReasonDone}); err != nil {
		t.Fatal(err)
	}
	_, err = d.RecordAct(t.Context(), d.by, act(m, 1))
	refused(t, err, fault.Forbidden, "")
	if got := fault.Of(err).Message; !strings.Contains(got, "terminé") {
		t.Errorf("the message says %q", got)
	}
	if view, err := d.Mandate(t.Context(), d.by, m); err != nil || view.State != mandate.StateDone || view.EndedAt.IsZero() {
		t.Errorf("state %s, ended %s, %v", view.State, view.EndedAt, err)
	}
}
