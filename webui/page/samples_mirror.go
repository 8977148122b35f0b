package page

import (
	"errors"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

// sampleMirror is the sample mandate as one made in Aidants Connect.
func sampleMirror(s mandate.State) node.MandateView {
	v := sampleView(s)
	m := mandate.Mirror{Term: mandate.Semester, Scopes: []mandate.Scope{mandate.Social, mandate.Argent}}
	v.Regime, v.Lines, v.Term, v.Evidence, v.Acts = record.AidantsConnect, m.Lines(), m.Term, "", nil
	v.Beneficiary.BirthPlace, v.Beneficiary.Contact = "", ""
	v.Start = time.Date(2026, 11, 1, 23, 0, 0, 0, time.UTC)
	v.End = v.Term.End(v.Start)
	return v
}

func mirrorSamples() []Sample {
	entry := func(n int, given, family string) MirrorForm {
		return MirrorForm{n, mandate.Mirror{
			Person: people.Beneficiary{Name: people.Name{Given: given, Family: family}, BirthDate: "1950-03-14"},
			Made:   "2026-11-02", Term: mandate.Semester, Scopes: []mandate.Scope{mandate.Social, mandate.Argent},
		}}
	}
	form := func(entries ...MirrorForm) *MirrorsNew {
		return &MirrorsNew{Base: base(Desk, "Inscrire des mandats Aidants Connect", "mandates"), ID: node.BatchID{1}, Entries: entries}
	}
	wrong := form(entry(1, "Dominique", "Exemple"), entry(2, "", "Modèle"))
	wrong.Entries[1].Made = "2/11/2025"
	wrong.Fail(fault.New(fault.Invalid, "Écrivez le prénom.", errors.New("missing")).On("entry_2_given"))
	wrong.Fail(fault.New(fault.Invalid, "D’après cette date et cette durée, ce mandat est déjà fini : il n’y a rien à inscrire.", errors.New("over")).On("entry_2_made"))
	return []Sample{
		{"mirrors_new", form(MirrorForm{Number: 1})},
		{"mirrors_new-batch", form(entry(1, "Dominique", "Exemple"), entry(2, "Sacha", "Modèle"))},
		{"mirrors_new-fault", wrong},
		{"mandate_show-mirror", &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleMirror(mandate.StateAwaitingPaper)}},
	}
}
