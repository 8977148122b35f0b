package mandate_test

import (
	"strings"
	"testing"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

var grantedAt = time.Date(2026, 11, 21, 16, 58, 0, 0, time.UTC)

// presented is a whole mandate about to be granted.
func presented() mandate.Presented {
	return mandate.Presented{
		Regime:     record.Local,
		Structure:  territory.Structure{Name: "CCAS de Valbrume", Address: "1 place du Marché, 00000 Valbrume", SIRET: "00000000000000"},
		HelperName: "Camille Exemple",
		Beneficiary: people.Beneficiary{
			Name: people.Name{Given: "Denise", Family: "Le Goff"}, BirthDate: "1948-03-12", BirthPlace: "Quimper", Contact: "06 12 34 56 78",
		},
		Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
		Evidence:     mandate.EvidenceDocument,
		Lines: []mandate.Line{
			{Number: 1, Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt", "télécharger l’avis"}},
			{Number: 2, Scope: mandate.Social, Service: "ameli.fr", Acts: []string{"demander une attestation de droits"}},
		},
		Term: mandate.Month, Site: "Valbrume", Zone: people.Zone("Europe/Paris"),
	}
}

// dossier is the same mandate once granted.
func dossier() mandate.Dossier {
	p := presented()
	p.Start, p.End = grantedAt, p.Term.End(grantedAt)
	wording := p.Text()
	return mandate.Dossier{
		Salt: [16]byte{1, 2, 3}, Territory: "demo", Hub: territory.HubID{7}, Wording: wording,
		Mandate: mandate.Mandate{
			ID: mandate.ID{9}, Regime: p.Regime, Structure: territory.StructureID{5}, Helper: people.HelperID{4}, HelperName: p.HelperName,
			Beneficiary: p.Beneficiary, Declarations: p.Declarations, Evidence: p.Evidence, Lines: p.Lines, Term: p.Term,
			Start: p.Start, End: p.End, Text: mandate.TextHash(wording),
		},
	}
}

func TestScopes(t *testing.T) {
	scopes := mandate.Scopes()
	if len(scopes) != 10 {
		t.Fatalf("%d scopes, not ten", len(scopes))
	}
	for i, s := range scopes {
		text := s.Text()
		if !s.Valid() || text.Title == "" || text.Short == "" || text.Description == "" || len(text.Examples) == 0 {
			t.Errorf("scope %q says nothing", s)
		}
		if s.Number() != uint8(i+1) || mandate.ScopeNumbered(s.Number()) != s {
			t.Errorf("scope %q has number %d", s, s.Number())
		}
		if (text.Warning != "") != (s == mandate.Argent) {
			t.Errorf("scope %q: warning %q", s, text.Warning)
		}
	}
	for _, unknown := range []mandate.Scope{"", "Papiers", "banque"} {
		if unknown.Valid() || unknown.Number() != 0 || unknown.Text().Title != "" {
			t.Errorf("%q passes for a scope", unknown)
		}
	}
	if mandate.ScopeNumbered(0) != "" || mandate.ScopeNumbered(11) != "" {
		t.Error("a number outside the list is a scope")
	}
}

// A term is N times 24 hours, whatever the clocks on the wall do meanwhile.
func TestTermEnd(t *testing.T) {
	paris := people.Zone("Europe/Paris")
	beforeWinter := time.Date(2026, 10, 24, 23, 30, 0, 0, paris)
	for term, days := range map[mandate.Term]int{mandate.Short: 1, mandate.Month: 31, mandate.Semester: 182, mandate.Long: 365, "EUS_03_20": 0, "": 0} {
		if got := term.End(beforeWinter).Sub(beforeWinter); got != time.Duration(days)*24*time.Hour || term.Days() != days {
			t.Errorf("%s runs %s", term, got)
		}
		if term.Valid() != (days > 0) || (term.Label() != "") != (days > 0) || (term.Choice() != "") != (days > 0) {
			t.Errorf("%q: valid %v, label %q, choice %q", term, term.Valid(), term.Label(), term.Choice())
		}
	}
	if got := people.Moment(mandate.Short.End(beforeWinter), paris); got != "25 octobre 2026 à 22:30" {
		t.Errorf("one day from 23:30 on the night of the change ends on %s", got)
	}
}

func TestLines(t *testing.T) {
	parsed, err := mandate.ParseLines([]mandate.Line{
		{Scope: mandate.Papiers, Service: "  ants.gouv.fr ", Acts: []string{" suivre  la demande ", "", "  "}},
		{Acts: []string{""}},
		{Service: "caf.fr"},
	})
	if err != nil || len(parsed) != 2 || parsed[1].Number != 2 || parsed[0].Service != "ants.gouv.fr" || len(parsed[0].Acts) != 1 || parsed[0].Acts[0] != "suivre la demande" {
		t.Errorf("parsed as %+v, %v", parsed, err)
	}
	for name, line := range map[string]mandate.Line{
		"UnknownScope":   {Scope: "banque", Service: "x"},
		"LongService":    {Scope: mandate.Papiers, Service: strings.Repeat("x", 121)},
		"ControlInAct":   {Scope: mandate.Papiers, Service: "x", Acts: []string{"a\x07"}},
		"DirectionTrick": {Scope: mandate.Papiers, Service: "caf.fr\u202e"},
		"ThirteenActs":   {Scope: mandate.Papiers, Service: "x", Acts: strings.Split("abcdefghijklm", "")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := mandate.ParseLines([]mandate.Line{line}); fault.Of(err) == nil || fault.Of(err).Field != "lines" {
				t.Errorf("taken: %v", err)
			}
		})
	}
	t.Run("ThirtyThree", func(t *testing.T) {
		lines := make([]mandate.Line, 33)
		for i := range lines {
			lines[i] = mandate.Line{Service: "x"}
		}
		if _, err := mandate.ParseLines(lines); !fault.Is(err, fault.Invalid) {
			t.Errorf("33 lines were taken: %v", err)
		}
		if got, err := mandate.ParseLines(lines[:32]); err != nil || len(got) != 32 {
			t.Errorf("32 lines were refused: %v", err)
		}
	})
}

func TestBits(t *testing.T) {
	if got := mandate.Bits(1, 3, 32, 0, 33, 200); got != 1|4|1<<31 {
		t.Errorf("bits %b", got)
	}
	if got := mandate.Numbers(1 | 4 | 1<<31); len(got) != 3 || got[0] != 1 || got[1] != 3 || got[2] != 32 {
		t.Errorf("numbers %v", got)
	}
	if mandate.AllLines(0) != 0 || mandate.AllLines(2) != 3 || mandate.AllLines(32) != ^uint32(0) {
		t.Error("the bitmap of all lines is wrong")
	}
}

func TestReady(t *testing.T) {
	now := grantedAt.In(people.Zone(""))
	whole := presented()
	if err := whole.Ready(now); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		field  string
		change func(*mandate.Presented)
	}{
		"NoName":       {"person", func(p *mandate.Presented) { p.Beneficiary.Name.Family = "" }},
		"FifteenYears": {"person", func(p *mandate.Presented) { p.Beneficiary.BirthDate = "2010-11-22" }},
		"NotAdult":     {"declarations", func(p *mandate.Presented) { p.Declarations.Adult = false }},
		"Protected":    {"declarations", func(p *mandate.Presented) { p.Declarations.Unprotected = false }},
		"NotWilling":   {"declarations", func(p *mandate.Presented) { p.Declarations.Willing = false }},
		"NoEvidence":   {"evidence", func(p *mandate.Presented) { p.Evidence = "" }},
		"NoLine":       {"lines", func(p *mandate.Presented) { p.Lines = nil }},
		"LineNoAct": {"lines", func(p *mandate.Presented) {
			p.Lines = []mandate.Line{{Number: 1, Scope: mandate.Papiers, Service: "x"}}
		}},
		"LineNoService": {"lines", func(p *mandate.Presented) {
			p.Lines = []mandate.Line{{Number: 1, Scope: mandate.Papiers, Acts: []string{"x"}}}
		}},
		"NoTerm":      {"term", func(p *mandate.Presented) { p.Term = "" }},
		"UnknownTerm": {"term", func(p *mandate.Presented) { p.Term = "EUS_03_20" }},
	} {
		t.Run(name, func(t *testing.T) {
			p := presented()
			c.change(&p)
			if err := p.Ready(now); !fault.Is(err, fault.Invalid) || fault.Of(err).Field != c.field {
				t.Errorf("want a fault on %s, got %v on %q", c.field, err, fault.Of(err).Field)
			}
		})
	}
}

// Whatever the helper may change before the grant changes what she approves; the
// instant of the grant does not.
func TestRecapHash(t *testing.T) {
	whole := presented().RecapHash()
	for name, change := range map[string]func(*mandate.Presented){
		"Given":      func(p *mandate.Presented) { p.Beneficiary.Name.Given = "Denyse" },
		"BirthDate":  func(p *mandate.Presented) { p.Beneficiary.BirthDate = "1948-03-13" },
		"BirthPlace": func(p *mandate.Presented) { p.Beneficiary.BirthPlace = "Brest" },
		"Contact":    func(p *mandate.Presented) { p.Beneficiary.Contact = "" },
		"Evidence":   func(p *mandate.Presented) { p.Evidence = mandate.EvidenceDeclared },
		"Scope":      func(p *mandate.Presented) { p.Lines[0].Scope = mandate.Papiers },
		"Service":    func(p *mandate.Presented) { p.Lines[1].Service = "msa.fr" },
		"Act":        func(p *mandate.Presented) { p.Lines[1].Acts[0] = "demander une carte" },
		"OneLine":    func(p *mandate.Presented) { p.Lines = p.Lines[:1] },
		"Term":       func(p *mandate.Presented) { p.Term = mandate.Long },
		"Structure":  func(p *mandate.Presented) { p.Structure.Name = "CIAS" },
		"Helper":     func(p *mandate.Presented) { p.HelperName = "Sacha Exemple" },
		"Regime":     func(p *mandate.Presented) { p.Regime = record.AidantsConnect },
	} {
		p := presented()
		change(&p)
		if p.RecapHash() == whole {
			t.Errorf("%s is not covered by the approval", name)
		}
	}
	granted := presented()
	granted.Start, granted.End = grantedAt, granted.Term.End(grantedAt)
	if granted.RecapHash() != whole {
		t.Error("the instant of the grant changed the recap")
	}
	if granted.Text() == granted.RecapText() {
		t.Error("the text of the mandate does not say when it ends")
	}
}

func TestText(t *testing.T) {
	text := dossier().Wording
	for _, want := range []string{
		"Denise Le Goff", "le 12 mars 1948 à Quimper", "CCAS de Valbrume", "Camille Exemple",
		"– Ligne 1, Argent – Impôts – Consommation, impots.gouv.fr\u00a0: consulter l’avis d’impôt\u00a0; télécharger l’avis.",
		"pour une durée d’un mois (31 jours)", "21 novembre 2026 à 17:58", "22 décembre 2026 à 17:58, heure de Paris",
		"hors Aidants Connect", "surendettement", "code d’arrêt",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text does not say %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"record", "gossip", "TPM", "habilit", "'"} {
		if strings.Contains(text, never) {
			t.Errorf("the text says %q", never)
		}
	}
	if mandate.JoinArticles(mandate.SplitText(text)) != text {
		t.Error("a text split into articles does not join again")
	}
	overseas := presented()
	overseas.Zone = people.Zone("Indian/Reunion")
	overseas.Start, overseas.End = grantedAt, overseas.Term.End(grantedAt)
	if !strings.Contains(overseas.Text(), "21 novembre 2026 à 20:58 et finit le 22 décembre 2026 à 20:58, heure de Reunion") {
		t.Error("a mandate made overseas is not in its hour")
	}
}

func TestActAllowed(t *testing.T) {
	for _, c := range []struct {
		name                   string
		present, signsIn, pays bool
		regime                 record.MandateKind
		want                   bool
	}{
		{"AbsentReads", false, false, false, record.Local, true},
		{"AbsentSignsIn", false, true, false, record.Local, false},
		{"AbsentPays", false, false, true, record.Local, false},
		{"AbsentBoth", false, true, true, record.Local, false},
		{"PresentBoth", true, true, true, record.Local, true},
		{"NationalAbsentSignsIn", false, true, false, record.AidantsConnect, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := mandate.Act{ID: id.Random[mandate.ActID](), Present: c.present, SignsIn: c.signsIn, Pays: c.pays}.Allowed(c.regime)
			if (err == nil) != c.want || err != nil && (!fault.Is(err, fault.Forbidden) || fault.Of(err).Field != "present") {
				t.Errorf("allowed: %v", err)
			}
		})
	}
}

func TestParseNote(t *testing.T) {
	got, err := mandate.ParseNote("\n Avis reçu.  \r\n\tRappeler lundi. \n\n")
	if err != nil || got != "Avis reçu.\n Rappeler lundi." {
		t.Errorf("parsed as %q, %v", got, err)
	}
	for name, note := range map[string]string{"Long": strings.Repeat("é", 1001), "Control": "a\x1bb", "NotUTF8": "\xff"} {
		if _, err := mandate.ParseNote(note); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLabels(t *testing.T) {
	for _, e := range mandate.Evidences() {
		if !e.Valid() || e.Label() == "" {
			t.Errorf("evidence %q has no label", e)
		}
	}
	for _, c := range mandate.ActChannels() {
		if !c.Valid() || c.Label() == "" {
			t.Errorf("channel %q has no label", c)
		}
	}
	if mandate.Evidence("").Valid() || mandate.ActChannel("fax").Valid() {
		t.Error("an unknown value is valid")
	}
}
