package page

import (
	"time"

	"relais/node"
	"relais/node/mandate"
)

func draftSamples() []Sample {
	draft := func(step Step) Draft {
		return Draft{Base: base(Desk, "Créer un mandat", ""), ID: sampleVisit, Step: step, Reached: StepRecap, Version: 3}
	}
	empty := Draft{Base: base(Desk, "Créer un mandat", ""), ID: sampleVisit, Step: StepPerson, Reached: StepPerson}
	faulty := draft(StepPerson)
	faulty.Base = faulty.with(
		Fault{Field: "birth_date", Message: "Écrivez la date de naissance avec des chiffres : jour/mois/année, par exemple 14/03/1950."},
		Fault{Field: "protected", Message: "Avec une mesure de protection, aucun mandat ne peut être fait ici. Vous pouvez rester à ses côtés pendant qu’elle fait sa démarche, ou voir la suite avec la personne qui la représente ou qui l’assiste."})
	unread := samplePerson
	unread.BirthDate = "mars 1950"
	lines := []LineForm{
		{1, mandate.Argent, "impots.gouv.fr", "consulter l’avis d’impôt\nsignaler un changement d’adresse"},
		{2, mandate.Famille, "caf.fr", "déclarer les ressources du trimestre"},
	}
	wrong := draft(StepServices)
	wrong.Base = wrong.with(Fault{Field: "line_2_acts", Message: "Écrivez au moins un acte, par exemple : consulter l’avis d’impôt."})
	allowed := []string{"papiers", "famille", "social", "logement", "argent"}
	ends := map[mandate.Term]time.Time{
		mandate.Short: SampleNow.AddDate(0, 0, 1), mandate.Month: SampleNow.AddDate(0, 0, 31),
		mandate.Semester: SampleNow.AddDate(0, 0, 182), mandate.Long: SampleNow.AddDate(0, 0, 365),
	}
	recap := node.Recap{
		Draft:     node.Draft{Person: samplePerson, Evidence: mandate.EvidenceDocument, Lines: sampleLines, Term: mandate.Month},
		Structure: "Maison de services de Valbrume", Helper: "Camille Essai", Until: SampleNow.AddDate(0, 0, 31), Articles: sampleArticles(),
	}
	refused := draft(StepRecap)
	refused.Base = refused.with(Fault{Field: "code", Message: "Ce code n’est pas le bon, ou il a déjà servi. Attendez le suivant."})
	return []Sample{
		{"draft_person", &DraftPerson{Draft: empty}},
		{"draft_person-fault", &DraftPerson{Draft: faulty, Person: unread, Evidence: mandate.EvidenceKnown, Adult: "oui", Protected: "oui", Willing: "oui"}},
		{"draft_services", &DraftServices{Draft: draft(StepServices), Lines: lines, Allowed: allowed}},
		{"draft_services-fault", &DraftServices{Draft: wrong, Lines: []LineForm{lines[0], {2, mandate.Famille, "caf.fr", ""}}, Allowed: allowed}},
		{"draft_term", &DraftTerm{Draft: draft(StepTerm), Term: mandate.Month, Ends: ends}},
		{"draft_recap", &DraftRecap{Draft: draft(StepRecap), Recap: recap, Hash: "00"}},
		{"draft_recap-refused", &DraftRecap{Draft: refused, Recap: recap, Hash: "00", NextCode: 12 * time.Second}},
	}
}
