package people_test

import (
	"strings"
	"testing"
	"time"

	"relais/node/fault"
	"relais/node/people"
)

func TestPolicy(t *testing.T) {
	desk := []people.Verb{people.VerbAccompany, people.VerbDrawUp, people.VerbSeeMandates, people.VerbAct, people.VerbStop}
	for _, v := range desk {
		for role, want := range map[people.Role]bool{
			people.RoleHelper: true, people.RoleReferent: true, people.RoleAdministrator: false, "benevole": false, "": false,
		} {
			if got := role.May(v); got != want {
				t.Errorf("%q may %s: %v", role, v, got)
			}
		}
	}
	for role, want := range map[people.Role]bool{
		people.RoleHelper: false, people.RoleReferent: true, people.RoleAdministrator: true,
	} {
		if got := role.May(people.VerbEnrol); got != want {
			t.Errorf("%q may enrol: %v", role, got)
		}
	}
	if people.RoleReferent.May("read_everything") {
		t.Error("a verb outside the policy was allowed")
	}
	for _, r := range people.Roles() {
		if !r.Valid() || r.Label() == "" {
			t.Errorf("role %q has no label", r)
		}
	}
}

func TestParseLogin(t *testing.T) {
	for typed, want := range map[string]string{
		" Camille.Exemple ": "camille.exemple", "a_b": "a_b", "9ab-c": "9ab-c",
		"ab": "", "": "", ".abc": "", "é.abc": "", "a b c": "", strings.Repeat("a", 41): "", "abc\n": "abc",
	} {
		got, err := people.ParseLogin(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseLogin(%q) = %q, %v", typed, got, err)
		}
		if err != nil && fault.Of(err).Field != "login" {
			t.Errorf("ParseLogin(%q): the fault names %q", typed, fault.Of(err).Field)
		}
	}
}

func TestPassphraseForms(t *testing.T) {
	if got, err := people.ParsePassphrase("  abeille\tcitron   lune "); err != nil || got != "abeille citron lune" {
		t.Errorf("ParsePassphrase = %q, %v", got, err)
	}
	t.Run("TooShort", func(t *testing.T) {
		if _, err := people.NewPassphraseForm("onze lettre"); !fault.Is(err, fault.Invalid) {
			t.Errorf("11 characters were taken: %v", err)
		}
		if _, err := people.NewPassphraseForm("douze lettré"); err != nil {
			t.Errorf("12 characters were refused: %v", err)
		}
	})
	t.Run("TooLong", func(t *testing.T) {
		if _, err := people.ParsePassphrase(strings.Repeat("a ", 600)); !fault.Is(err, fault.Invalid) {
			t.Errorf("1,200 octets were taken: %v", err)
		}
	})
}

func TestWords(t *testing.T) {
	words := people.Words()
	if len(words) < 1024 {
		t.Fatalf("%d words, at least 1,024", len(words))
	}
	for i, w := range words {
		if len(w) < 4 || len(w) > 8 || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("word %q is not 4 to 8 plain letters", w)
		}
		if i > 0 && words[i-1] >= w {
			t.Errorf("%q does not come after %q", w, words[i-1])
		}
	}
	seen := map[string]bool{}
	for range 200 {
		phrase := people.NewPassphrase()
		if len(strings.Fields(phrase)) != 6 || seen[phrase] {
			t.Fatalf("passphrase of %d words, or twice the same", len(strings.Fields(phrase)))
		}
		seen[phrase] = true
		if same, err := people.NewPassphraseForm(phrase); err != nil || same != phrase {
			t.Fatalf("a made passphrase is not in its form: %v", err)
		}
	}
}

func TestParseDate(t *testing.T) {
	for typed, want := range map[string]string{
		"1948-03-12": "1948-03-12", "12/03/1948": "1948-03-12", " 1/2/1990 ": "1990-02-01", "12.03.1948": "1948-03-12",
		"1950": "1950", "1950-07": "1950-07", "07/1950": "1950-07", "29/02/2000": "2000-02-29",
		"29/02/1900": "", "31/04/1980": "", "00/00/1950": "", "1950-00": "", "1950-13-01": "", "32/01/1950": "",
		"12/03/48": "", "1789-07-14": "", "": "", "demain": "", "1948-3-12": "",
	} {
		d, err := people.ParseDate(typed)
		if (err == nil) != (want != "") || err == nil && d.String() != want {
			t.Errorf("ParseDate(%q) = %q, %v; want %q", typed, d, err, want)
		}
	}
	for written, want := range map[string]string{
		"1948-03-01": "le 1er mars 1948", "1948-12-25": "le 25 décembre 1948", "1950-07": "en juillet 1950", "1950": "en 1950",
	} {
		d, err := people.ParseDate(written)
		if err != nil || d.French() != want {
			t.Errorf("%s in French is %q, %v", written, d.French(), err)
		}
	}
}

func TestAge(t *testing.T) {
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	for _, c := range []struct {
		born, on string
		want     int
	}{
		{"2010-11-22", "2026-11-21", 15},
		{"2010-11-21", "2026-11-21", 16},
		{"2008-02-29", "2024-02-28", 15},
		{"2008-02-29", "2024-02-29", 16},
		{"2010", "2026-01-01", 16},
		{"2010-06", "2026-05-31", 15},
	} {
		d, err := people.ParseDate(c.born)
		if err != nil || d.AgeOn(day(c.on)) != c.want {
			t.Errorf("born %s is %d on %s, want %d", c.born, d.AgeOn(day(c.on)), c.on, c.want)
		}
	}
}

func TestBeneficiary(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, people.Zone(""))
	whole := people.Beneficiary{
		Name: people.Name{Given: " Denise ", Family: "Le  Goff"}, BirthDate: "12/03/1948", BirthPlace: "Quimper", Contact: "06 12 34 56 78",
	}
	parsed, err := whole.Parse(now)
	if err != nil || parsed.Ready(now) != nil {
		t.Fatalf("a whole person was refused: %v, %v", err, parsed.Ready(now))
	}
	if parsed.Name.Full() != "Denise Le Goff" || parsed.BirthDate != "1948-03-12" || parsed.Born() != "le 12 mars 1948 à Quimper" {
		t.Errorf("parsed as %+v, born %q", parsed, parsed.Born())
	}
	if again, err := parsed.Parse(now); err != nil || again != parsed {
		t.Errorf("the one form has another form: %+v, %v", again, err)
	}
	for field, change := range map[string]func(*people.Beneficiary){
		"given":       func(b *people.Beneficiary) { b.Name.Given = "De\x00nise" },
		"family":      func(b *people.Beneficiary) { b.Name.Family = strings.Repeat("e", 81) },
		"birth_date":  func(b *people.Beneficiary) { b.BirthDate = "22/11/2026" },
		"birth_place": func(b *people.Beneficiary) { b.BirthPlace = "Brest\u202e" },
		"contact":     func(b *people.Beneficiary) { b.Contact = "\xff" },
	} {
		b := whole
		change(&b)
		if _, err := b.Parse(now); fault.Of(err) == nil || fault.Of(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, change := range map[string]func(*people.Beneficiary){
		"given":       func(b *people.Beneficiary) { b.Name.Given = "" },
		"family":      func(b *people.Beneficiary) { b.Name.Family = "" },
		"birth_date":  func(b *people.Beneficiary) { b.BirthDate = "2010-11-22" }, // 15 years old
		"birth_place": func(b *people.Beneficiary) { b.BirthPlace = "" },
	} {
		b := parsed
		change(&b)
		if err := b.Ready(now); fault.Of(err) == nil || fault.Of(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
