package node_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"relais/node/fault"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// TestDossierEntries: a hub that asks for the same dossier again and again is one
// entry a quarter of an hour.
func TestDossierEntries(t *testing.T) {
	l, a, b, c := three(t)
	plain, n := l.dossierOf(t, a)
	sealed, err := a.SealDossier(l.office, plain)
	if err != nil {
		t.Fatal(err)
	}
	author(t, a, n)
	if err := a.KeepSealed(t.Context(), n.Mandate, sealed); err != nil {
		t.Fatal(err)
	}
	entries := func() int {
		t.Helper()
		count, err := a.JournalCount(t.Context(), journal.KindDossierGive)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	ask := func(asker *hub, advance time.Duration) int {
		t.Helper()
		l.clock.Advance(advance)
		before := entries()
		for range 5 {
			if _, err := a.Dossier(t.Context(), n.Mandate, asker.Self()); err != nil {
				t.Fatal(err)
			}
		}
		return entries() - before
	}
	for i, c := range []struct {
		asker   *hub
		advance time.Duration
		want    int
	}{{c, 0, 1}, {c, 10 * time.Minute, 0}, {b, 0, 1}, {c, 6 * time.Minute, 1}} {
		if got := ask(c.asker, c.advance); got != c.want {
			t.Errorf("round %d: %d entries, want %d", i, got, c.want)
		}
	}
}

// TestGrantedDossierIsSealedWhenAsked: what was granted here is kept once, and
// sealed for who serves the structure when it is asked for.
func TestGrantedDossierIsSealedWhenAsked(t *testing.T) {
	l := newLand(t)
	here, there, late := l.newHub(t, "Valbrume"), l.newHub(t, "Bus"), l.newHub(t, "Antenne")
	serving := func(n int) func(*territory.Roster) {
		return func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:n] }
	}
	l.enrol(t, serving(2))
	d := l.desk(t, here, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m := d.grant(t)
	if n := d.rows(t, "dossiers"); n != 0 {
		t.Errorf("%d dossiers sealed at the grant", n)
	}
	asked := func(hub *hub) ([]byte, error) { return here.Dossier(t.Context(), m, hub.Self()) }
	sealed, err := asked(there)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := there.OpenSealed(sealed)
	if dossier, decoded := mandate.DecodeDossier(plain); err != nil || decoded != nil || dossier.Mandate.ID != m {
		t.Errorf("there it opens to %+v, %v, %v", dossier.Mandate, err, decoded)
	}
	if again, err := asked(there); err != nil || bytes.Equal(again, sealed) {
		t.Errorf("asked again, it is the same octets: %v", err)
	}
	if _, err := asked(late); !fault.Is(err, fault.Forbidden) {
		t.Errorf("who does not serve the structure gets %v", err)
	}
	l.enrol(t, serving(3))
	sealed, err = asked(late)
	if opened, wrong := late.OpenSealed(sealed); err != nil || wrong != nil || !bytes.Equal(opened, plain) {
		t.Errorf("who serves it since gets %v, %v", err, wrong)
	}
	l.enrol(t, serving(1))
	sealed, err = here.SealDossier(l.office, plain)
	if _, opens := there.OpenSealed(sealed); err != nil || opens == nil {
		t.Errorf("who serves it no more opens what is sealed now, %v", err)
	}
}

// A forgotten person's dossier is nobody's any more, though a hub may still ask.
func TestForgottenDossierIsNotGiven(t *testing.T) {
	l := newLand(t)
	here, there := l.newHub(t, "Valbrume"), l.newHub(t, "Bus")
	l.enrol(t)
	d := l.desk(t, here, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	m := d.grant(t)
	view, err := d.Mandate(t.Context(), d.by, m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.Dossier(t.Context(), m, there.Self()); err != nil {
		t.Fatal(err)
	}
	if err := here.ErasePerson(t.Context(), view.Beneficiary.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Dossier(t.Context(), m, there.Self()); !fault.Is(err, fault.NotFound) {
		t.Errorf("it is given, %v", err)
	}
}

// TestUnknownCodeSaysWhatHolds: a helper at this hub could not stop the mandate
// either, since there is no notice of it here.
func TestUnknownCodeSaysWhatHolds(t *testing.T) {
	_, a, _, _ := three(t)
	_, err := a.StopByCode(t.Context(), record.NewStopCode().String(), "borne")
	if m := fault.Of(err).Message; !fault.Is(err, fault.NotFound) || strings.Contains(m, "aidant") || !strings.Contains(m, "pas encore reçu") {
		t.Errorf("%v: %s", err, m)
	}
}
