package page

import (
	"errors"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

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
		Rows: []node.MandateRow{row("Maxime", "Essai", mandate.StateAwaitingPaper, 0), row("Dominique", "Exemple", mandate.StateActive, 0), row("Maé", "Essai", mandate.StatePartly, 3), stopped, row("Alix", "Modèle", mandate.StateDone, 12), row("Noa", "Exemple", mandate.StateExpired, 60), row("Lou", "Test", mandate.StateUnusable, 61)},
	}
	list.Rows[4].Mirror, list.Rows[4].Services, list.Rows[0].Mirror = true, []string{"Santé", "Argent"}, true
	sought := &Mandates{Base: base(Desk, "Mandats", "mandates"), Rows: list.Rows[:3], Sought: "7K3M-9QXD-4T2P-HW8V-5"}
	sought.Faults = []Fault{{Field: "sought", Message: "Ce code n’arrête aucun mandat connu de ce relais. Comparez avec le papier. Si le mandat vient d’être fait, attendez que les relais se soient joints, puis réessayez."}}
	show := func(s mandate.State) *MandateShow {
		return &MandateShow{Base: base(Desk, "Mandat", "mandates"), Mandate: sampleView(s)}
	}
	receipt := &Receipt{Number: "R-3-18", Place: "Valbrume", At: SampleNow, Count: 1}
	just := show(mandate.StateStopped)
	just.Receipt = receipt
	act := &ActNew{Base: base(Desk, "Noter une démarche", "mandates"), Mandate: sampleView(mandate.StateActive), ID: mandate.ActID{1}, Line: 1, Channel: mandate.ActOnline, Present: "oui"}
	refused := &ActNew{Base: base(Desk, "Noter une démarche", "mandates"), Mandate: sampleView(mandate.StateStopped), ID: mandate.ActID{1}, Line: 1, Channel: mandate.ActOnline, Present: "non", SignsIn: true, Pays: true, Note: "Avis 2026 imprimé."}
	refused.Fail(fault.New(fault.Conflict, "Ce mandat a été arrêté hier à 17:58 à la borne de Port-Exemple. Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat.", errors.New("stopped")))
	awaiting := &ActNew{Base: base(Desk, "Noter une démarche", "mandates"), Mandate: sampleView(mandate.StateAwaitingPaper)}
	stop := &StopNew{Base: base(Desk, "Arrêter ce mandat", "mandates"), Mandate: sampleMandate, State: mandate.StateActive, Lines: sampleLines, Chosen: []uint8{1, 2}, Reason: record.ReasonPerson}
	foreign := &StopNew{Base: base(Desk, "Arrêter ce mandat", "mandates"), Mandate: sampleMandate, State: mandate.StateActive, Foreign: true, StructureName: "CCAS de Port-Exemple"}
	notice := func(s mandate.State, stops ...node.StopView) *NoticeShow {
		return &NoticeShow{
			Base:          base(Desk, "Mandat", "mandates"),
			Notice:        node.NoticeView{Mandate: sampleMandate, Start: SampleNow.AddDate(0, 0, -4), End: SampleNow.AddDate(0, 0, 27), State: s, OriginName: "Port-Exemple", Stops: stops},
			StructureName: "CCAS de Port-Exemple (démonstration)",
		}
	}
	byCode := &StopCode{
		Base: base(Desk, "Arrêter avec ce code", "mandates"), Code: "7K3M-9QXD-4T2P-HW8V-5",
		Notices: []CodeNotice{{notice(mandate.StateActive).Notice, "CCAS de Port-Exemple (démonstration)"}},
	}
	erased := notice(mandate.StateStopped, sampleStop)
	erased.Notice.ForgottenAt = SampleNow.AddDate(0, 0, -1)
	old := show(mandate.StateExpired)
	old.MayForget, list.MayForget = true, true
	told := notice(mandate.StateStopped, sampleStop)
	told.Receipt = receipt
	return []Sample{
		{"mandates", list},
		{"mandates-empty", &Mandates{Base: base(Desk, "Mandats", "mandates"), State: mandate.StateStopped}},
		{"mandates-sought", sought},
		{"mandates-ending", &Mandates{Base: base(Desk, "Mandats", "mandates"), Rows: list.Rows[1:2], Ending: true}},
		{"mandate_show", show(mandate.StateActive)},
		{"mandate_show-awaiting", show(mandate.StateAwaitingPaper)},
		{"mandate_show-partly", show(mandate.StatePartly)},
		{"mandate_show-stopped", show(mandate.StateStopped)},
		{"mandate_show-receipt", just},
		{"mandate_show-expired", old},
		{"notice_show", notice(mandate.StateActive)},
		{"notice_show-stopped", told},
		{"notice_show-forgotten", erased},
		{"act_new", act},
		{"act_new-refused", refused},
		{"act_new-awaiting", awaiting},
		{"stop_new", stop},
		{"stop_new-foreign", foreign},
		{"stop_code", byCode},
	}
}

func paperSamples() []Sample {
	const code = "7K3M-9QXD-4T2P-HW8V-5"
	p := &MandatePaper{Base: base(Paper, "Papier du mandat", ""), Mandate: sampleView(mandate.StateAwaitingPaper), Address: "2 place de l’Exemple, 00000 Valbrume", Code: code}
	p.Copies = []Copy{{Person: true, Code: code, QR: QR{Size: 29, Path: "M4 4h7v7h-7z"}}, {}}
	after := &MandatePaper{Base: base(Paper, "Papier du mandat", ""), Mandate: sampleView(mandate.StateActive), Copies: []Copy{{Person: true}, {}}}
	slip := &MandatePaper{Base: base(Paper, "Papier du mandat", ""), Mandate: sampleMirror(mandate.StateAwaitingPaper), Address: p.Address, Code: code, Copies: p.Copies[:1]}
	return []Sample{{"mandate_paper", p}, {"mandate_paper-handed", after}, {"mandate_paper-mirror", slip}}
}
