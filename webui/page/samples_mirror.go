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
	still := &node.StillActive{Structure: "Maison de services de Valbrume", Where: "Valbrume", Due: time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC)}
	stopped := &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleMirror(mandate.StateStopped)}
	stopped.Mandate.StillActive = still
	just := &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: stopped.Mandate}
	just.Receipt = &Receipt{Number: "R-3-18", Place: "Valbrume", At: SampleNow, Count: 1, StillActive: []*node.StillActive{still}}
	noted := &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleMirror(mandate.StateStopped)}
	noted.Mandate.StillActive = &node.StillActive{Structure: still.Structure, Where: still.Where, Done: SampleNow}
	list := &Worklist{Base: base(Desk, "À faire dans Aidants Connect", "today"), List: sampleWorklist(), Day: "24/11/2026"}
	before := &Worklist{Base: list.Base, List: list.List, Day: "2/11/2026"}
	before.Fail(fault.New(fault.Invalid, "Ce jour est avant l’arrêt : vérifiez la date.", errors.New("before")).On("done"))
	kiosk := base(Kiosk, "C’est arrêté", "")
	kiosk.Site = "Port-Exemple"
	receipt := *just.Receipt
	receipt.Place, receipt.Published = "Port-Exemple", true
	return []Sample{
		{"mandate_show-mirror-stopped", stopped},
		{"mandate_show-mirror-receipt", just},
		{"mandate_show-mirror-noted", noted},
		{"worklist", list},
		{"worklist-empty", &Worklist{Base: list.Base}},
		{"worklist-fault", before},
		{"kiosk_receipt-mirror", &KioskReceipt{Base: kiosk, Receipt: receipt}},
		{"mirrors_new", form(MirrorForm{Number: 1})},
		{"mirrors_new-batch", form(entry(1, "Dominique", "Exemple"), entry(2, "Sacha", "Modèle"))},
		{"mirrors_new-fault", wrong},
		{"mandate_show-mirror", &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleMirror(mandate.StateAwaitingPaper)}},
	}
}

func sampleWorklist() node.Worklist {
	stop := sampleStop
	item := func(n byte, days int, scopes ...mandate.Scope) node.WorkItem {
		return node.WorkItem{
			ID: node.WorkID{n}, Mandate: sampleMandate, Made: SampleNow.AddDate(0, -2, -days), Scopes: scopes, Stop: &stop, Owner: "Camille Essai",
			Due: time.Date(2026, 11, 26-days, 17, 0, 0, 0, time.UTC),
		}
	}
	person := func(given, family string) *people.Beneficiary {
		return &people.Beneficiary{Name: people.Name{Given: given, Family: family}, BirthDate: "1950-03-14"}
	}
	done := item(5, 1)
	done.Done, done.NotedBy = SampleNow.AddDate(0, 0, -1), "Alix Modèle"
	unknown := item(4, 0)
	unknown.Made, unknown.Owner = time.Time{}, ""
	return node.Worklist{
		Waiting: []node.WorkGroup{
			{Person: person("Sacha", "Modèle"), Items: []node.WorkItem{item(1, 3), item(2, 0, mandate.Argent, mandate.Social)}},
			{Person: person("Dominique", "Exemple"), Items: []node.WorkItem{item(3, 0)}},
			{Items: []node.WorkItem{unknown}},
		},
		Done: []node.WorkGroup{{Person: person("Maé", "Essai"), Items: []node.WorkItem{done}}},
	}
}
