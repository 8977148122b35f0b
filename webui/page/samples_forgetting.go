package page

import (
	"time"

	"relais/node"
	"relais/node/mandate"
)

func forgettingSamples() []Sample {
	filed := node.FiledMandate{
		ID: sampleMandate, Start: SampleNow.AddDate(0, -3, 0), End: SampleNow.AddDate(0, -2, 0),
		State: mandate.StateStopped, OriginName: "Valbrume",
	}
	elsewhere := filed
	elsewhere.State, elsewhere.OriginName, elsewhere.Elsewhere = mandate.StateExpired, "Port-Exemple", true
	ask := func(f node.PersonFile) *ForgetNew {
		f.Person = samplePerson
		return &ForgetNew{Base: base(Desk, "Effacer cette personne", "mandates"), Mandate: sampleMandate, File: f}
	}
	both := ask(node.PersonFile{Mandates: []node.FiledMandate{filed, elsewhere}, Hubs: []string{"Port-Exemple", "le bus"}})
	refused := ask(node.PersonFile{Mandates: []node.FiledMandate{filed}, Hubs: []string{"le bus"}})
	refused.Typed, refused.NextCode = "Dominique Essai", 12*time.Second
	refused.Base = refused.with(
		Fault{Field: "name", Message: "Ce n’est pas ce nom. Vérifiez que c’est bien cette personne que vous effacez."},
		Fault{Field: "code", Message: "Ce code n’est pas le bon. Lisez celui qui s’affiche maintenant dans votre application."},
	)
	running := filed
	running.State = mandate.StateActive
	shown := func(hubs ...node.ForgetHub) *ForgettingShow {
		return &ForgettingShow{Base: base(Desk, "Effacement", "mandates"), Forgetting: sampleForgetting(hubs...)}
	}
	confirmed := node.ForgetHub{Name: "Port-Exemple", Confirmed: SampleNow.Add(-time.Minute)}
	awaited := node.ForgetHub{Name: "Le bus"}
	expelled := node.ForgetHub{Name: "Ancienne antenne", Expelled: true}
	return []Sample{
		{"forget_new", both},
		{"forget_new-alone", ask(node.PersonFile{Mandates: []node.FiledMandate{filed}})},
		{"forget_new-refused", refused},
		{"forget_new-running", ask(node.PersonFile{
			Mandates: []node.FiledMandate{running}, Hubs: []string{"le bus"},
			Refusal: "Un mandat de cette personne est encore en cours. Arrêtez-le d’abord, ou attendez sa fin\u00a0: rien n’est effacé tant qu’il peut servir.",
		})},
		{"forget_new-visit", ask(node.PersonFile{
			Mandates: []node.FiledMandate{filed}, OpenVisit: sampleVisit,
			Refusal: "Un accompagnement de cette personne est encore ouvert. Terminez-le d’abord.",
		})},
		{"forgetting_show", shown(confirmed, awaited, expelled)},
		{"forgetting_show-all", shown(confirmed)},
		{"forgetting_show-alone", shown()},
		{"forgettings", &Forgettings{Base: base(Desk, "Effacements", "mandates"), List: []node.Forgetting{
			sampleForgetting(confirmed, awaited), sampleForgetting(confirmed), sampleForgetting(),
		}}},
		{"forgettings-empty", &Forgettings{Base: base(Desk, "Effacements", "mandates")}},
	}
}

func sampleForgetting(hubs ...node.ForgetHub) node.Forgetting {
	return node.Forgetting{
		ID: node.ForgettingID{9, 4, 1}, At: SampleNow.Add(-3 * time.Minute), Hubs: hubs,
		Mandates: []node.ForgottenMandate{{ID: sampleMandate, Start: SampleNow.AddDate(0, -3, 0), End: SampleNow.AddDate(0, -2, 0)}},
	}
}
