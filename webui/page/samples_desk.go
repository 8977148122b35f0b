package page

import (
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

func deskSamples() []Sample {
	at := func(minutes int) time.Time { return SampleNow.Add(-time.Duration(minutes) * time.Minute) }
	visit := func(minutes int, posture mediation.Posture, theme string) node.AccompanimentView {
		return node.AccompanimentView{
			Accompaniment: mediation.Accompaniment{ID: sampleVisit, Posture: posture, Theme: theme, OpenedAt: at(minutes)},
			HelperName:    "Camille Essai",
		}
	}
	named := func(v node.AccompanimentView, given, family string, s mandate.State) node.AccompanimentView {
		v.Person = &people.Beneficiary{Name: people.Name{Given: given, Family: family}}
		if s != "" {
			v.Mandate, v.State = sampleMandate, s
		}
		return v
	}
	draft := named(visit(4, mediation.PostureDo, "logement"), "Alix", "Modèle", "")
	draft.HasDraft = true
	closed := visit(52, mediation.PostureTrain, "")
	closed.ClosedAt = at(20)
	today := &Today{
		Base: base(Desk, "Aujourd’hui", "today"),
		Visits: []node.AccompanimentView{
			draft,
			named(visit(14, mediation.PostureDo, "argent"), "Dominique", "Exemple", mandate.StateActive),
			visit(34, mediation.PostureAccompany, "transports"),
			named(visit(41, mediation.PostureDo, "famille"), "Maxime", "Essai", mandate.StateAwaitingPaper),
			named(visit(47, mediation.PostureDo, "social"), "Sacha", "Modèle", mandate.StateStopped),
			closed,
		},
		Reminders: Reminders{ToSign: 1, Ending: 3, ToStop: 4, Late: 1, Limit: 100},
		Hubs:      sampleHubs(), National: at(29), HasNational: true,
	}
	alone := base(Desk, "Aujourd’hui", "today")
	alone.Software, alone.Site = true, "le bus"
	alone.Freshness = Freshness{At: SampleNow.Add(-31 * time.Minute), Seen: 1, Expected: 3}
	alone.Flash = "L’accompagnement est terminé."
	cut := sampleHubs()
	cut[1].Connected, cut[2].Connected = false, false
	open := visit(3, mediation.PostureDo, "argent")
	finished := named(visit(60, mediation.PostureDo, "argent"), "Dominique", "Exemple", mandate.StateActive)
	return []Sample{
		{"today", today},
		{"today-empty-offline", &Today{Base: alone, Hubs: cut, HasNational: true}},
		{"accompaniment_new", &AccompanimentNew{Base: base(Desk, "Nouvel accompagnement", "today"), ID: sampleVisit, Posture: mediation.PostureDo, Theme: "argent"}},
		{"accompaniment_new-fault", &AccompanimentNew{Base: base(Desk, "Nouvel accompagnement", "today").with(Fault{Field: "posture", Message: "Choisissez comment vous aidez la personne."}), ID: sampleVisit}},
		{"accompaniment_show", &AccompanimentShow{Base: base(Desk, "Accompagnement", "today"), Visit: open}},
		{"accompaniment_show-closed", &AccompanimentShow{Base: base(Desk, "Accompagnement", "today"), Visit: closed}},
		{"accompaniment_show-draft", &AccompanimentShow{Base: base(Desk, "Accompagnement", "today"), Visit: draft}},
		{"accompaniment_show-mandate", &AccompanimentShow{Base: base(Desk, "Accompagnement", "today"), Visit: finished}},
		{"territory", sampleTerritory(sampleHubs())},
		{"territory-alarms", sampleTroubled(cut)},
	}
}

func sampleHubs() []node.HubStatus {
	hub := func(n byte, name string, a territory.Assurance) territory.Hub {
		return territory.Hub{Index: uint16(n), ID: territory.HubID{n}, Name: name, Assurance: a, State: territory.HubActive}
	}
	heard := SampleNow.Add(-2 * time.Minute)
	return []node.HubStatus{
		{Hub: hub(1, "Valbrume", territory.AssuranceTPM), Self: true, Connected: true, Records: 41},
		{Hub: hub(2, "Port-Exemple", territory.AssuranceTPM), Connected: true, HeardAt: heard, Compared: heard, Records: 18, Said: &node.Said{Roster: 4, Delay: 180 * time.Millisecond}},
		{
			Hub: hub(3, "le bus", territory.AssuranceSoftware), Connected: true, Through: true, HeardAt: heard.Add(-time.Minute), Compared: heard, Records: 7,
			Said: &node.Said{Misses: []string{"Port-Exemple"}, Roster: 3, Delay: 900 * time.Millisecond},
		},
	}
}

func sampleTerritory(hubs []node.HubStatus) *Territory {
	return &Territory{
		Base: base(Desk, "État du territoire", "territory"),
		View: node.TerritoryView{
			Roster: &territory.Roster{Name: "Territoire de démonstration", Version: 4}, Hubs: hubs,
			Freshness: node.Freshness{National: SampleNow.Add(-29 * time.Minute)}, Notices: 37, Stops: 6, Dossiers: 22,
			News: node.Propagation{P50: 180 * time.Millisecond, P99: 900 * time.Millisecond, Of: 41},
			Seen: node.JournalSeen{Entries: 1204, At: SampleNow.Add(-29 * time.Minute)},
			List: node.NationalList{Cursor: "x", Whole: true, Here: 61, There: 61, Checked: SampleNow.Add(-29 * time.Minute)},
		},
		Own: sampleStructures()[0],
		Habilitation: node.HabilitationView{At: SampleNow.Add(-29 * time.Minute), National: true, Entries: []node.DirectoryEntry{
			{Name: "Maison de services", Habilitation: node.HabilitationActive, Since: "2024-03-12"},
		}},
		Pass: node.NationalPass{At: SampleNow.Add(-29 * time.Minute), Up: 4, Down: 1}, HasPass: true,
	}
}

func sampleTroubled(hubs []node.HubStatus) *Territory {
	p := sampleTerritory(hubs)
	p.Software = true
	p.Freshness = Freshness{At: SampleNow.Add(-26 * time.Hour), Seen: 1, Expected: 3}
	p.View.Waiting = 2
	p.Pass.Err = "connection refused"
	p.View.List.There, p.View.List.Aside = 62, 1
	p.Pass.Drift = 2
	p.View.Seen = node.JournalSeen{Entries: 1204, At: SampleNow.Add(-50 * time.Hour), Refused: SampleNow.Add(-27 * time.Hour), Held: 1204}
	p.View.Alarms = []node.Alarm{{Key: "island", Message: "Aucun relais n’a répondu depuis hier. Vérifiez la box et le câble, puis prévenez le service informatique.", At: SampleNow.Add(-26 * time.Hour)}}
	return p
}
