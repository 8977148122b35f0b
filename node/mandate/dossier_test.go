package mandate_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/mandate"
	"relais/node/people"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The format is for ever: a dossier of today opens on a hub of ten years hence.
func TestDossierVector(t *testing.T) {
	text, err := dossier().Encode()
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "dossier.json")
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("the encoding changed:\n%s", cmp.Diff(string(want), string(text)))
	}
	got, err := mandate.DecodeDossier(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dossier(), got); diff != "" {
		t.Error(diff)
	}
}

// What a dossier must not say, each refused on the way out and, where it can be
// spelled, on the way in.
func TestDossierRefused(t *testing.T) {
	for name, change := range map[string]func(*mandate.Dossier){
		"NoSalt":           func(d *mandate.Dossier) { d.Salt = [16]byte{} },
		"NoMandate":        func(d *mandate.Dossier) { d.Mandate.ID = mandate.ID{} },
		"Territory":        func(d *mandate.Dossier) { d.Territory = "Démo" },
		"Regime":           func(d *mandate.Dossier) { d.Mandate.Regime = 3 },
		"PersonID":         func(d *mandate.Dossier) { d.Mandate.Beneficiary.ID = people.BeneficiaryID{1} },
		"NoFamilyName":     func(d *mandate.Dossier) { d.Mandate.Beneficiary.Name.Family = "" },
		"UntidyName":       func(d *mandate.Dossier) { d.Mandate.Beneficiary.Name.Family = "Le  Goff" },
		"BirthForm":        func(d *mandate.Dossier) { d.Mandate.Beneficiary.BirthDate = "12/03/1948" },
		"Child":            func(d *mandate.Dossier) { d.Mandate.Beneficiary.BirthDate = "2012-01-01" },
		"NotDeclared":      func(d *mandate.Dossier) { d.Mandate.Declarations.Unprotected = false },
		"Evidence":         func(d *mandate.Dossier) { d.Mandate.Evidence = "seen" },
		"NoLine":           func(d *mandate.Dossier) { d.Mandate.Lines = nil },
		"LineNumbers":      func(d *mandate.Dossier) { d.Mandate.Lines[1].Number = 3 },
		"LineScope":        func(d *mandate.Dossier) { d.Mandate.Lines[1].Scope = "banque" },
		"EmptyAct":         func(d *mandate.Dossier) { d.Mandate.Lines[1].Acts[0] = "" },
		"EndMoved":         func(d *mandate.Dossier) { d.Mandate.End = d.Mandate.End.Add(time.Millisecond) },
		"TermMoved":        func(d *mandate.Dossier) { d.Mandate.Term = mandate.Long },
		"Microseconds":     func(d *mandate.Dossier) { d.Mandate.Start = d.Mandate.Start.Add(time.Microsecond) },
		"LongAgo":          func(d *mandate.Dossier) { d.Mandate.Start = time.Unix(0, 0) },
		"OtherWording":     func(d *mandate.Dossier) { d.Wording += "et le reste\n" },
		"WordingDirection": func(d *mandate.Dossier) { d.Wording += "\u202e"; d.Mandate.Text = mandate.TextHash(d.Wording) },
		"HelperName":       func(d *mandate.Dossier) { d.Mandate.HelperName = "" },
	} {
		t.Run(name, func(t *testing.T) {
			d := dossier()
			change(&d)
			if _, err := d.Encode(); !errors.Is(err, mandate.ErrDossier) {
				t.Errorf("encoded: %v", err)
			}
		})
	}
}

// One dossier has one spelling: whatever else JSON would read as the same is
// refused.
func TestOneEncoding(t *testing.T) {
	whole, err := dossier().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(string) string{
		"Space":         func(s string) string { return strings.Replace(s, `{"relais_dossier":1,`, `{"relais_dossier": 1,`, 1) },
		"Newline":       func(s string) string { return s + "\n" },
		"Case":          func(s string) string { return strings.Replace(s, `"salt"`, `"Salt"`, 1) },
		"Twice":         func(s string) string { return strings.Replace(s, `"term":`, `"term":"LONG","term":`, 1) },
		"UnknownMember": func(s string) string { return strings.Replace(s, `"term":`, `"more":1,"term":`, 1) },
		"Missing":       func(s string) string { return strings.Replace(s, `"contact":"06 12 34 56 78"`, `"contact":null`, 1) },
		"Escape":        func(s string) string { return strings.Replace(s, `Denise`, `\u0044enise`, 1) },
		"LowerCaseID":   func(s string) string { return strings.ToLower(s) },
		"Base64":        func(s string) string { return strings.Replace(s, `AQIDAAAA`, `AQID\nAAAA`, 1) },
		"Exponent":      func(s string) string { return strings.Replace(s, `"regime":1`, `"regime":1e0`, 1) },
		"NotUTF8":       func(s string) string { return strings.Replace(s, `Quimper`, "Quimper\xff", 2) },
		"Version":       func(s string) string { return strings.Replace(s, `"relais_dossier":1`, `"relais_dossier":2`, 1) },
		"Trailing":      func(s string) string { return s + "{}" },
		"Empty":         func(string) string { return "" },
		"Null":          func(string) string { return "null" },
		"Huge":          func(s string) string { return s + strings.Repeat(" ", 1<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			text := change(string(whole))
			if text == string(whole) {
				t.Fatal("the test changed nothing")
			}
			_, err := mandate.DecodeDossier([]byte(text))
			if !errors.Is(err, mandate.ErrDossier) {
				t.Errorf("taken: %v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "Denise") || strings.Contains(err.Error(), "Quimper")) {
				t.Errorf("the error names somebody: %v", err)
			}
		})
	}
}

func FuzzDecodeDossier(f *testing.F) {
	whole, err := dossier().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"relais_dossier":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := mandate.DecodeDossier(text)
		if err != nil {
			return
		}
		again, err := d.Encode()
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("accepted, and encodes otherwise: %v", err)
		}
	})
}
