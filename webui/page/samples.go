package page

import (
	"errors"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
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
	for _, part := range [][]Sample{doorSamples(), deskSamples(), draftSamples(), mandateSamples(), paperSamples(), kioskSamples()} {
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
	return b
}

// with returns b with faults, for the states of error.
func (b Base) with(faults ...Fault) Base {
	b.Faults = faults
	return b
}

func doorSamples() []Sample {
	refused := base(Door, "Connexion", "").with(Fault{Message: "Identifiant, phrase secrète ou code : quelque chose ne va pas. Vérifiez les trois, puis attendez le code suivant."})
	problem := base(Door, "Page introuvable", "")
	software := base(Door, "Connexion", "")
	software.Software = true
	return []Sample{
		{"signin", &SignIn{Base: base(Door, "Connexion", "")}},
		{"signin-refused", &SignIn{Base: refused, Login: "camille", NextCode: 17 * time.Second}},
		{"signin-first", &SignIn{Base: software, FirstSteps: true}},
		{"problem-404", &Problem{Base: problem, Status: 404, Message: "Cette page n’existe pas, ou plus.", Home: "/bureau"}},
		{"problem-429", &Problem{Base: problem, Status: 429, Message: "Trop d’essais.", Wait: 42 * time.Second}},
	}
}

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
			named(visit(41, mediation.PostureDo, "famille"), "Claude", "Essai", mandate.StateAwaitingPaper),
			named(visit(47, mediation.PostureDo, "social"), "Sacha", "Modèle", mandate.StateStopped),
			closed,
		},
		Reminders: Reminders{ToSign: 1, Ending: 3, Limit: 100},
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
		{Hub: hub(2, "Port-Exemple", territory.AssuranceTPM), Connected: true, HeardAt: heard, Compared: heard, Records: 18},
		{Hub: hub(3, "le bus", territory.AssuranceSoftware), Connected: true, HeardAt: heard.Add(-time.Minute), Compared: heard, Records: 7},
	}
}

func sampleTerritory(hubs []node.HubStatus) *Territory {
	return &Territory{
		Base: base(Desk, "État du territoire", "territory"),
		View: node.TerritoryView{
			Roster: &territory.Roster{Name: "Territoire de démonstration", Version: 4}, Hubs: hubs,
			Freshness: node.Freshness{National: SampleNow.Add(-29 * time.Minute)}, Notices: 37, Stops: 6, Dossiers: 22,
		},
		Pass: node.NationalPass{At: SampleNow.Add(-29 * time.Minute), Up: 4, Down: 1}, HasPass: true,
	}
}

func sampleTroubled(hubs []node.HubStatus) *Territory {
	p := sampleTerritory(hubs)
	p.Software = true
	p.Freshness = Freshness{At: SampleNow.Add(-26 * time.Hour), Seen: 1, Expected: 3}
	p.View.Waiting = 2
	p.Pass.Err = "connection refused"
	p.View.Alarms = []node.Alarm{{Key: "island", Message: "Aucun relais n’a répondu depuis hier. Vérifiez la box et le câble, puis prévenez le service informatique.", At: SampleNow.Add(-26 * time.Hour)}}
	return p
}

func draftSamples() []Sample {
	draft := func(step Step) Draft {
		return Draft{Base: base(Desk, "Créer un mandat", ""), ID: sampleVisit, Step: step, Reached: StepRecap, Version: 3}
	}
	empty := Draft{Base: base(Desk, "Créer un mandat", ""), ID: sampleVisit, Step: StepPerson, Reached: StepPerson}
	faulty := draft(StepPerson)
	faulty.Base = faulty.with(
		Fault{Field: "birth_date", Message: "Écrivez la date de naissance avec des chiffres : jour/mois/année, par exemple 14/03/1950."},
		Fault{Field: "unprotected", Message: "Avec une mesure de protection, le mandat se voit avec la personne qui la représente ou qui l’assiste."})
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
		{"draft_person-fault", &DraftPerson{Draft: faulty, Person: samplePerson, Evidence: mandate.EvidenceKnown, Adult: "oui", Unprotected: "non", Willing: "oui"}},
		{"draft_services", &DraftServices{Draft: draft(StepServices), Lines: lines, Allowed: allowed}},
		{"draft_services-fault", &DraftServices{Draft: wrong, Lines: []LineForm{lines[0], {2, mandate.Famille, "caf.fr", ""}}, Allowed: allowed}},
		{"draft_term", &DraftTerm{Draft: draft(StepTerm), Term: mandate.Month, Ends: ends}},
		{"draft_recap", &DraftRecap{Draft: draft(StepRecap), Recap: recap, Hash: "00"}},
		{"draft_recap-refused", &DraftRecap{Draft: refused, Recap: recap, Hash: "00", NextCode: 12 * time.Second}},
	}
}

var sampleStop = node.StopView{
	Stop: mandate.Stop{
		Reason: record.ReasonPerson, Channel: record.ChannelKiosk,
		ReceivedAt: time.Date(2026, 11, 23, 16, 58, 0, 0, time.UTC),
	},
	WhereName: "Port-Exemple",
}

// sampleArticles is the text of the sample mandate.
func sampleArticles() []mandate.Article {
	return mandate.Presented{
		Regime: record.Local, Structure: territory.Structure{Name: "Maison de services de Valbrume (démonstration)", Address: "2 place de l’Exemple, 00000 Valbrume"},
		HelperName: "Camille Essai", Beneficiary: samplePerson, Declarations: mandate.Declarations{Adult: true, Unprotected: true, Willing: true},
		Evidence: mandate.EvidenceDocument, Lines: sampleLines, Term: mandate.Month, Start: SampleNow, End: mandate.Month.End(SampleNow),
		Site: "Valbrume", Zone: sampleZone,
	}.Articles()
}

func sampleView(s mandate.State) node.MandateView {
	v := node.MandateView{
		Mandate: mandate.Mandate{
			ID: sampleMandate, Regime: record.Local, HelperName: "Camille Essai", Beneficiary: samplePerson,
			Evidence: mandate.EvidenceDocument, Lines: sampleLines, Term: mandate.Month,
			Start: SampleNow.Add(-3 * time.Hour), End: SampleNow.Add(-3*time.Hour).AddDate(0, 0, 31),
			Paper: mandate.Paper{PrintedAt: SampleNow.Add(-170 * time.Minute), SignedAt: SampleNow.Add(-160 * time.Minute), HandedAt: SampleNow.Add(-160 * time.Minute)},
			Text:  [32]byte{0x5f, 0x2c, 0x10, 0x99},
		},
		StructureName: "Maison de services de Valbrume (démonstration)", OriginName: "Valbrume", Articles: sampleArticles(),
		State: s, LineVerdicts: []mandate.Verdict{{Usable: true}, {Usable: true}}, Published: true, Version: 2,
	}
	switch s {
	case mandate.StateAwaitingPaper:
		v.Paper = mandate.Paper{}
		v.Published = false
		v.LineVerdicts = []mandate.Verdict{{Why: mandate.WhyPaper}, {Why: mandate.WhyPaper}}
	case mandate.StateStopped:
		v.LineVerdicts = []mandate.Verdict{{Why: mandate.WhyStopped}, {Why: mandate.WhyStopped}}
		v.Stops = []node.StopView{sampleStop}
	case mandate.StatePartly:
		v.LineVerdicts[1] = mandate.Verdict{Why: mandate.WhyStopped}
		stop := sampleStop
		stop.Lines, stop.Channel = 2, record.ChannelDesk
		v.Stops = []node.StopView{stop}
	case mandate.StateExpired:
		v.LineVerdicts = []mandate.Verdict{{Why: mandate.WhyExpired}, {Why: mandate.WhyExpired}}
	}
	v.Acts = []node.ActView{{
		Act:        mandate.Act{Line: 1, Channel: mandate.ActOnline, Present: true, SignsIn: true, Note: "Avis 2026 imprimé et remis.", At: SampleNow.Add(-2 * time.Hour)},
		HelperName: "Camille Essai",
	}}
	return v
}

func mandateSamples() []Sample {
	row := func(given, family string, s mandate.State, days int) node.MandateRow {
		return node.MandateRow{ID: sampleMandate, PersonName: given + " " + family, Services: []string{"impots.gouv.fr", "caf.fr"}, Start: SampleNow.AddDate(0, 0, -days), End: SampleNow.AddDate(0, 0, 31-days), State: s, PaperDone: true}
	}
	stopped := row("Sacha", "Modèle", mandate.StateStopped, 9)
	stopped.Stop = &sampleStop
	list := &Mandates{
		Base: base(Desk, "Mandats", "mandates"), Next: sampleMandate,
		Rows: []node.MandateRow{row("Claude", "Essai", mandate.StateAwaitingPaper, 0), row("Dominique", "Exemple", mandate.StateActive, 0), row("Maé", "Essai", mandate.StatePartly, 3), stopped, row("Alix", "Modèle", mandate.StateDone, 12), row("Noa", "Exemple", mandate.StateExpired, 60), row("Lou", "Test", mandate.StateUnusable, 61)},
	}
	show := func(s mandate.State) *MandateShow {
		return &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleView(s)}
	}
	receipt := &Receipt{Number: "R-3-18", Place: "Valbrume", At: SampleNow, Count: 1}
	just := show(mandate.StateStopped)
	just.Receipt = receipt
	act := &ActNew{Base: base(Desk, "Noter une démarche", "mandates"), Mandate: sampleView(mandate.StateActive), ID: mandate.ActID{1}, Line: 1, Channel: mandate.ActOnline, Present: "oui"}
	refused := &ActNew{Base: base(Desk, "Noter une démarche", "mandates"), Mandate: sampleView(mandate.StateStopped), ID: mandate.ActID{1}, Line: 1, Channel: mandate.ActOnline, Present: "non", SignsIn: true, Pays: true, Note: "—"}
	refused.Fail(fault.New(fault.Conflict, "Ce mandat a été arrêté hier à 17:58 à la borne de Port-Exemple. Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat.", errors.New("stopped")))
	stop := &StopNew{Base: base(Desk, "Arrêter ce mandat", "mandates"), Mandate: sampleMandate, State: mandate.StateActive, Lines: sampleLines, Chosen: []uint8{1, 2}, Reason: record.ReasonPerson}
	foreign := &StopNew{Base: base(Desk, "Arrêter ce mandat", "mandates"), Mandate: sampleMandate, State: mandate.StateActive, Foreign: true, StructureName: "CCAS de Port-Exemple"}
	notice := func(s mandate.State, stops ...node.StopView) *NoticeShow {
		return &NoticeShow{
			Base:          base(Desk, "Mandat", "mandates"),
			Notice:        node.NoticeView{Mandate: sampleMandate, Start: SampleNow.AddDate(0, 0, -4), End: SampleNow.AddDate(0, 0, 27), State: s, OriginName: "Port-Exemple", Stops: stops},
			StructureName: "CCAS de Port-Exemple (démonstration)",
		}
	}
	told := notice(mandate.StateStopped, sampleStop)
	told.Receipt = receipt
	return []Sample{
		{"mandates", list},
		{"mandates-empty", &Mandates{Base: base(Desk, "Mandats", "mandates"), State: mandate.StateStopped}},
		{"mandate_show", show(mandate.StateActive)},
		{"mandate_show-awaiting", show(mandate.StateAwaitingPaper)},
		{"mandate_show-partly", show(mandate.StatePartly)},
		{"mandate_show-stopped", show(mandate.StateStopped)},
		{"mandate_show-receipt", just},
		{"mandate_show-expired", show(mandate.StateExpired)},
		{"notice_show", notice(mandate.StateActive)},
		{"notice_show-stopped", told},
		{"act_new", act},
		{"act_new-refused", refused},
		{"stop_new", stop},
		{"stop_new-foreign", foreign},
	}
}

func paperSamples() []Sample {
	const code = "7K3M-9QXD-4T2P-HW8V-5"
	p := &MandatePaper{Base: base(Paper, "Papier du mandat", ""), Mandate: sampleView(mandate.StateAwaitingPaper), Address: "2 place de l’Exemple, 00000 Valbrume", Code: code}
	p.Copies = []Copy{{Person: true, Code: code, QR: QR{Size: 29, Path: "M4 4h7v7h-7z"}}, {}}
	after := &MandatePaper{Base: base(Paper, "Papier du mandat", ""), Mandate: sampleView(mandate.StateActive), Copies: []Copy{{Person: true}, {}}}
	return []Sample{{"mandate_paper", p}, {"mandate_paper-handed", after}}
}

func kioskSamples() []Sample {
	site := func(title string) Base {
		b := base(Kiosk, title, "")
		b.Site = "Port-Exemple"
		return b
	}
	wrong := site("Arrêter mon mandat").with(Fault{Field: "code", Message: "Ce code n’arrête aucun mandat. Relisez votre papier, un signe après l’autre.", Wait: 8 * time.Second})
	receipt := Receipt{Number: "R-2-18", Place: "Port-Exemple", At: SampleNow, Count: 1, Published: true}
	already := receipt
	already.Already, already.Published, already.Count = true, false, 2
	return []Sample{
		{"kiosk_home", &KioskHome{site("Bonjour")}},
		{"kiosk_stop", &KioskStop{Base: site("Arrêter mon mandat")}},
		{"kiosk_stop-wrong", &KioskStop{Base: wrong, Code: "7K3M-9QXD-4T2P-HW8V-6"}},
		{"kiosk_receipt", &KioskReceipt{Base: site("C’est arrêté"), Receipt: receipt}},
		{"kiosk_receipt-already", &KioskReceipt{Base: site("C’était déjà arrêté"), Receipt: already}},
		{"kiosk_rights", &KioskRights{site("Mes droits")}},
		{"kiosk_call", &KioskCall{site("J’ai besoin d’aide")}},
		{"kiosk_problem", &Problem{Base: site("Page introuvable"), Status: 404, Message: "Cette page n’existe pas, ou plus.", Home: "/kiosque"}},
	}
}
