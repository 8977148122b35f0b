package mandate_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

// morning is a day in Paris, on which a mirror is entered.
var morning = time.Date(2026, 11, 24, 9, 44, 0, 0, people.Zone("Europe/Paris"))

func mirror() mandate.Mirror {
	return mandate.Mirror{
		Person: people.Beneficiary{Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: "1948-03-12"},
		Made:   "2026-11-02", Term: mandate.Month, Scopes: []mandate.Scope{mandate.Social, mandate.Argent},
	}
}

// mirrored is the dossier of a mirror.
func mirrored() mandate.Dossier {
	m, p := mirror(), presented()
	p.Regime, p.Beneficiary, p.Lines, p.Term = record.AidantsConnect, m.Person, m.Lines(), m.Term
	p.Declarations, p.Evidence = mandate.Declarations{}, ""
	p.Start = m.Start(p.Zone)
	p.End = p.Term.End(p.Start)
	d := dossier()
	d.Wording = p.Text()
	d.Mandate.Regime, d.Mandate.Beneficiary, d.Mandate.Lines = p.Regime, p.Beneficiary, p.Lines
	d.Mandate.Declarations, d.Mandate.Evidence = p.Declarations, p.Evidence
	d.Mandate.Start, d.Mandate.End, d.Mandate.Text = p.Start, p.End, mandate.TextHash(d.Wording)
	return d
}

func TestMirrorParse(t *testing.T) {
	typed := mirror()
	typed.Person.Name.Given, typed.Person.BirthDate, typed.Made = " Denise ", "12/03/1948", "2/11/2026"
	typed.Person.Contact = "06 12 34 56 78" // is not asked, and not kept
	typed.Scopes = []mandate.Scope{mandate.Argent, "banque", mandate.Social, mandate.Argent}
	got, err := typed.Parse(morning)
	if diff := cmp.Diff(mirror(), got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, made := range []string{"hier", "11/2026", "2026", "31/02/2026"} {
		typed.Made = made
		if _, err := typed.Parse(morning); !fault.Is(err, fault.Invalid) || fault.Of(err).Field != "made" {
			t.Errorf("made %q: %v", made, err)
		}
	}
}

func TestMirrorReady(t *testing.T) {
	if err := mirror().Ready(morning); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name, field string
		change      func(*mandate.Mirror)
	}{
		{"NoGiven", "given", func(m *mandate.Mirror) { m.Person.Name.Given = "" }},
		{"NoFamily", "family", func(m *mandate.Mirror) { m.Person.Name.Family = "" }},
		{"NoBirth", "birth_date", func(m *mandate.Mirror) { m.Person.BirthDate = "" }},
		{"Child", "birth_date", func(m *mandate.Mirror) { m.Person.BirthDate = "2012-01-01" }},
		{"NoDay", "made", func(m *mandate.Mirror) { m.Made = "" }},
		{"Tomorrow", "made", func(m *mandate.Mirror) { m.Made = "2026-11-25" }},
		{"Over", "made", func(m *mandate.Mirror) { m.Made = "2026-10-24" }},
		{"NoTerm", "term", func(m *mandate.Mirror) { m.Term = "" }},
		{"NoScope", "scopes", func(m *mandate.Mirror) { m.Scopes = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mirror()
			c.change(&m)
			if err := m.Ready(morning); !fault.Is(err, fault.Invalid) || fault.Of(err).Field != c.field {
				t.Errorf("want a fault on %s, got %v", c.field, err)
			}
		})
	}
	last := mirror()
	last.Made = "2026-10-25" // the change of hour is in it: 31 times 24 hours end at 23:00
	if err := last.Ready(morning); err != nil {
		t.Errorf("its last day: %v", err)
	}
}

// A mirror never outlasts what it mirrors, whatever the hour it was made at.
func TestMirrorEndsFirst(t *testing.T) {
	zone := people.Zone("Europe/Paris")
	for day := range 366 {
		made := time.Date(2026, 1, 1+day, 0, 0, 0, 0, zone)
		m := mirror()
		m.Made = made.Format(time.DateOnly)
		for _, m.Term = range mandate.Terms() {
			end := m.Term.End(m.Start(zone))
			first, last := m.Term.End(made), made.AddDate(0, 0, 1).Add(-time.Second)
			if end.After(first) || m.Term.End(last).Sub(end) > mandate.MirrorTail {
				t.Fatalf("made on %s for %s, it ends at %s", m.Made, m.Term, end)
			}
		}
	}
}

// The dossier of a mirror has the format of all: its vector is for ever too.
func TestMirrorDossier(t *testing.T) {
	text, err := mirrored().Encode()
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "mirror.json")
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(text, want) {
		t.Errorf("the encoding changed: %v\n%s", err, cmp.Diff(string(want), string(text)))
	}
	got, err := mandate.DecodeDossier(want)
	if diff := cmp.Diff(mirrored(), got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for name, change := range map[string]func(*mandate.Dossier){
		"Declared":     func(d *mandate.Dossier) { d.Mandate.Declarations.Adult = true },
		"Evidence":     func(d *mandate.Dossier) { d.Mandate.Evidence = mandate.EvidenceDocument },
		"NoBirth":      func(d *mandate.Dossier) { d.Mandate.Beneficiary.BirthDate = "" },
		"NoFamilyName": func(d *mandate.Dossier) { d.Mandate.Beneficiary.Name.Family = "" },
		"Local":        func(d *mandate.Dossier) { d.Mandate.Regime = record.Local },
	} {
		d := mirrored()
		change(&d)
		if _, err := d.Encode(); !errors.Is(err, mandate.ErrDossier) {
			t.Errorf("%s: encoded: %v", name, err)
		}
	}
}

// The text of a mirror says what it is not, and what a stop does not do.
func TestMirrorText(t *testing.T) {
	text := mirrored().Wording
	for _, want := range []string{
		"ne le remplace pas", "Denise Le Goff", "le 12 mars 1948", "– Ligne 2, Argent – Impôts – Consommation.", "fait le 2 novembre 2026",
		"Il est alors arrêté dans nos relais. Il reste actif dans Aidants Connect jusqu’à ce que la structure l’y arrête, dans les 3\u00a0jours ouvrés.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Quimper") || strings.Contains(text, "06 12") || strings.Contains(text, "'") {
		t.Errorf("the text says too much:\n%s", text)
	}
}
