package page

import (
	"time"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// Sample is one screen in one state, with fixed data: review, screenshots and
// tests walk them all.
type Sample struct {
	Name string // "mandate_show-stopped"
	Page Page
}

// SampleNow is the present of every sample: a Tuesday morning in Valbrume.
var SampleNow = time.Date(2026, 11, 24, 8, 44, 0, 0, time.UTC)

var (
	sampleZone, _ = time.LoadLocation("Europe/Paris")
	sampleMandate = mandate.ID{0x3a, 0x86, 0xd1, 0x2f, 7, 1, 9, 4, 2, 8, 3, 5, 6, 6, 1, 2}
	sampleVisit   = mediation.AccompanimentID{0x71, 0x44, 2, 9, 1, 3, 8, 8, 5, 6, 1, 2, 7, 3, 9, 4}
	samplePerson  = people.Beneficiary{
		ID: people.BeneficiaryID{1}, Name: people.Name{Given: "Dominique", Family: "Exemple"},
		BirthDate: "1950-03-14", BirthPlace: "Valbrume", Contact: "06 00 00 00 00",
	}
	sampleLines = []mandate.Line{
		{Number: 1, Scope: mandate.Argent, Service: "impots.gouv.fr", Acts: []string{"consulter l’avis d’impôt", "signaler un changement d’adresse"}},
		{Number: 2, Scope: mandate.Famille, Service: "caf.fr", Acts: []string{"déclarer les ressources du trimestre"}},
	}
)

// Samples returns every screen in every state worth looking at.
func Samples() []Sample {
	all := []Sample{}
	for _, part := range [][]Sample{doorSamples(), deskSamples(), draftSamples(), mandateSamples(), forgettingSamples(), mirrorSamples(), paperSamples(), kioskSamples(), officeSamples(), directorySamples()} {
		all = append(all, part...)
	}
	return all
}

func base(audience Audience, title, section string) Base {
	b := Base{
		Title: title, Audience: audience, Site: "Valbrume", Static: "/static/storybook",
		Now: SampleNow, Zone: sampleZone, Section: section,
		Freshness: Freshness{At: SampleNow.Add(-2 * time.Minute), Seen: 3, Expected: 3},
	}
	if audience == Desk || audience == Paper {
		b.Helper, b.Structure = "Camille E.", "Maison de services (démo)"
	}
	if audience == Office {
		b.Helper, b.Structure = "Alex M.", "Département"
	}
	return b
}

// with returns b with faults, for the states of error.
func (b Base) with(faults ...Fault) Base {
	b.Faults = faults
	return b
}
