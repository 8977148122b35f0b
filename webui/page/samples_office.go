package page

import (
	"encoding/hex"
	"strings"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/territory"
)

// directorySamples are the public directory, searched and not.
func directorySamples() []Sample {
	view := node.DirectoryView{At: SampleNow.Add(-5 * time.Hour), Entries: 5312}
	found := view
	found.Found = []node.DirectoryEntry{
		{Name: "CCAS de Port-Exemple", Commune: "Port-Exemple", Postcode: "00000", Address: "1 quai de l’Exemple", SIRET: "11100000000000", Modified: "2026-09-14T09:12:00+02:00"},
		{Name: "France Services de Port-Exemple", Commune: "Port-Exemple", Postcode: "00000", Address: "2 place de l’Exemple", SIRET: "22200000000000", Modified: "2026-10-02T16:40:00+02:00"},
	}
	at := func(v node.DirectoryView, sought string) *Directory {
		return &Directory{Base: base(Office, "L’annuaire d’Aidants Connect", "structures"), View: v, Sought: sought}
	}
	old := node.DirectoryView{At: SampleNow.AddDate(0, 0, -4), Entries: 5312, UnderWay: node.Crawl{Number: 9, Page: 12, Total: 5320}}
	apart := view
	apart.Drift = 2
	national := node.DirectoryView{At: view.At, Entries: 61, National: true, Aside: 1, Asides: []node.SetAside{
		{Key: [16]byte{0x1b, 0x4e, 0x28, 0xba, 0x2f, 0xa1, 0x11, 0xd2, 0x88, 0x3f, 0x00, 0x16, 0xd3, 0xcc, 0xa4, 0x27}, Named: true, Reason: "siret", Since: SampleNow.Add(-29 * time.Hour)},
	}}
	for i, h := range []node.Habilitation{node.HabilitationActive, node.HabilitationEnded} {
		e := found.Found[i]
		e.Habilitation, e.Since = h, "2024-03-12"
		national.Found = append(national.Found, e)
	}
	return []Sample{
		{"directory", at(view, "")},
		{"directory-found", at(found, "port exemple")},
		{"directory-nothing", at(apart, "nulle part")},
		{"directory-old", at(old, "")},
		{"directory-national", at(national, "port exemple")},
		{"directory-never", at(node.DirectoryView{}, "")},
	}
}

func officeSamples() []Sample {
	var all []Sample
	for _, part := range [][]Sample{glanceSamples(), invitationSamples(), requestSamples(), hubSamples(), structureSamples(), registrySamples()} {
		all = append(all, part...)
	}
	return all
}

var (
	sampleSigned    = Signed{HoldsRoot: true, Version: 4}
	sampleWrongCode = Fault{Field: "code", Message: "Ce code n’est pas le bon. Lisez celui qui s’affiche maintenant dans votre application."}
	sampleStale     = Fault{Message: "Le registre du territoire a changé depuis que cette page est ouverte. Rien n’a été fait : relisez, puis recommencez si c’est toujours utile."}
	sampleRoot      = [16]byte{0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76, 0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92}
)

func sampleDigest(first byte) []byte {
	return append([]byte{first}, []byte(strings.Repeat("\x5a\xc3\x19", 10)+"\x07")...)
}

func sampleStructures() []territory.Structure {
	hubs := []territory.HubID{{1}, {2}}
	every := make([]string, 0, len(mandate.Scopes()))
	for _, s := range mandate.Scopes() {
		every = append(every, string(s))
	}
	return []territory.Structure{
		{ID: territory.StructureID{1}, Name: "Maison de services (démo)", Address: "2 place de l’Exemple, Valbrume", SIRET: "00000000000000", State: territory.StructureOpen, Scopes: every, Serving: hubs},
		{ID: territory.StructureID{2}, Name: "CCAS de Port-Exemple (démo)", Address: "1 quai du Modèle, Port-Exemple", State: territory.StructureSuspended, Scopes: every[:4], Serving: hubs[1:]},
		{ID: territory.StructureID{3}, Name: "Association Modèle (démo)", State: territory.StructureClosed, Scopes: every[:1]},
	}
}

func sampleRoster() *territory.Roster {
	r := &territory.Roster{
		Name: "Territoire de démonstration", Version: 4, Structures: sampleStructures(),
		IssuedAt: SampleNow.Add(-40 * 24 * time.Hour), ExpiresAt: SampleNow.Add(360*24*time.Hour + time.Hour),
	}
	for _, h := range sampleHubs() {
		r.Hubs = append(r.Hubs, h.Hub)
	}
	return r
}

func sampleRequest(a territory.Assurance) node.Request {
	h := territory.Hub{
		ID: territory.HubID{7, 3}, Name: "Médiathèque de Port-Exemple", Addresses: []string{"192.0.2.17:7443", "mediatheque.example:7443"},
		HostNames: []string{"mediatheque.example"}, KioskName: "borne.mediatheque.example", Assurance: a,
	}
	return node.Request{
		Request:     territory.Request{Hub: h},
		Fingerprint: "K7M2 9QXD 4T2P HW8V", Site: "la médiathèque de Port-Exemple", Received: SampleNow.Add(-12 * time.Minute),
	}
}

func sampleInvited() []node.Invited {
	return []node.Invited{
		{ID: node.InvitationID{1}, Site: "la médiathèque de Port-Exemple", Made: SampleNow.Add(-2 * time.Hour), Expires: SampleNow.Add(166 * time.Hour)},
		{ID: node.InvitationID{2}, Site: "le bus, machine de remplacement", Made: SampleNow.Add(-50 * time.Hour), Expires: SampleNow.Add(20 * time.Hour)},
	}
}

func glanceSamples() []Sample {
	view := func(hubs []node.HubStatus) node.TerritoryView {
		return node.TerritoryView{Roster: sampleRoster(), Hubs: hubs}
	}
	calm := &Departement{Base: base(Office, "Le territoire", "glance"), View: view(sampleHubs())}
	calm.View.Hubs[2].Hub.Assurance = territory.AssuranceTPM
	busy := &Departement{
		Base: base(Office, "Le territoire", "glance"), View: view(sampleHubs()), Invitations: sampleInvited(),
		Requests: []node.Request{sampleRequest(territory.AssuranceTPM)},
	}
	busy.View.Hubs[1].Connected, busy.View.Hubs[1].HeardAt = false, SampleNow.Add(-15*time.Hour)
	busy.View.Hubs = append(busy.View.Hubs, node.HubStatus{Hub: territory.Hub{ID: territory.HubID{4}, Name: "L’ancien bus", State: territory.HubExpelled}})
	busy.View.Alarms = []node.Alarm{{Key: "roster-expires", Message: "Le registre du territoire est valable encore 21 jours. Prévenez le département qu’il est à renouveler.", At: SampleNow.Add(-9 * 24 * time.Hour)}}
	busy.View.Roster.ExpiresAt = SampleNow.Add(21*24*time.Hour + time.Hour)
	first := &Departement{Base: base(Office, "Le territoire", "glance")}
	first.Freshness = Freshness{Seen: 1, Expected: 1}
	first.View.Alarms = []node.Alarm{{Key: "no-roster", Message: "Ce relais n’a pas encore le registre de son territoire : aucun mandat ne peut être créé. Demandez-le au département.", At: SampleNow}}
	return []Sample{{"departement", calm}, {"departement-busy", busy}, {"departement-first", first}}
}

func invitationSamples() []Sample {
	missing := base(Office, "Inviter un relais", "invite").with(Fault{Field: "site", Message: "Écrivez pour quel site est l’invitation : son nom, ou celui de la commune."})
	code := "relais-" + hex.EncodeToString(sampleDigest(1)) + hex.EncodeToString(sampleDigest(2))
	return []Sample{
		{"departement_invite", &InvitationNew{Base: base(Office, "Inviter un relais", "invite"), Days: 7, Open: sampleInvited(), HoldsRoot: true}},
		{"departement_invite-empty", &InvitationNew{Base: missing, Days: 7, HoldsRoot: true}},
		{"departement_invite-elsewhere", &InvitationNew{Base: base(Office, "Inviter un relais", "invite"), Days: 7}},
		{"departement_invitation", &InvitationShow{Base: base(Office, "L’invitation est prête", "invite"), Invited: sampleInvited()[0], Code: code, HoldsRoot: true}},
		{"departement_invitation-elsewhere", &InvitationShow{Base: base(Office, "L’invitation est prête", "invite"), Invited: sampleInvited()[0], Code: code}},
		{"departement_invitation-again", &InvitationShow{Base: base(Office, "Une invitation qui attend", "invite"), Invited: sampleInvited()[0], HoldsRoot: true}},
	}
}

func requestSamples() []Sample {
	title := "Une demande de place"
	request := func(b Base, a territory.Assurance) *RequestShow {
		return &RequestShow{Base: b, Signed: sampleSigned, Request: sampleRequest(a), Structures: sampleStructures()[:2]}
	}
	wrong := request(base(Office, title, "glance").with(Fault{Field: "fingerprint", Message: "Cette empreinte n’est pas celle de la demande. Ne l’inscrivez pas : faites relire l’empreinte au site, caractère par caractère. Si elle diffère encore, refusez la demande."}), territory.AssuranceTPM)
	wrong.Typed, wrong.Serves = "K7M2 9QXD 4T2P HW8W", []territory.StructureID{{1}}
	replacing := request(base(Office, title, "glance"), territory.AssuranceSoftware)
	was := sampleHubs()[1].Hub
	replacing.Request.Replaces, replacing.Replaces, replacing.Replace = &territory.Replaced{Hub: was.ID}, &was, true
	known := request(base(Office, title, "glance"), territory.AssuranceTPM)
	known.Request.Known, known.HoldsRoot = &was, false
	return []Sample{
		{"departement_request", request(base(Office, title, "glance"), territory.AssuranceTPM)},
		{"departement_request-wrong", wrong},
		{"departement_request-replaces", replacing},
		{"departement_request-elsewhere", known},
	}
}

func hubSamples() []Sample {
	view := func(h node.HubStatus) node.HubView {
		h.Hub.Witness, h.Hub.Recipient = sampleDigest(3), "age1exampleexampleexampleexampleexampleexampleexampleexample"
		h.Hub.Addresses, h.Hub.HostNames = []string{"192.0.2.12:7443"}, []string{"port-exemple.example"}
		return node.HubView{
			HubStatus: h, Structures: sampleStructures()[:2],
			Ends: []territory.Cut{{Incarnation: 1, Seq: 11, Hash: sampleDigest(4)}, {Incarnation: 2, Seq: 7, Hash: sampleDigest(5)}},
		}
	}
	near, soft, out := view(sampleHubs()[1]), view(sampleHubs()[2]), view(sampleHubs()[1])
	soft.Forked, soft.Connected, soft.HeardAt = true, false, SampleNow.Add(-15*time.Hour)
	out.Hub.State, out.Hub.Cuts, out.Hub.Addresses, out.Hub.HostNames = territory.HubExpelled, out.Ends, nil, nil
	expel := func(b Base) *HubExpel { return &HubExpel{Base: b, Signed: sampleSigned, Hub: near} }
	refused := expel(base(Office, "Exclure ce relais", "glance").with(Fault{Field: "name", Message: "Ce n’est pas le nom de ce relais. Vérifiez que c’est bien lui que vous voulez exclure."}, sampleWrongCode))
	refused.Typed, refused.NextCode = "Port-Modèle", 17*time.Second
	elsewhere := expel(base(Office, "Exclure ce relais", "glance"))
	elsewhere.HoldsRoot = false
	return []Sample{
		{"departement_hub", &HubShow{Base: base(Office, "Port-Exemple", "glance"), Hub: near}},
		{"departement_hub-trouble", &HubShow{Base: base(Office, "le bus", "glance"), Hub: soft}},
		{"departement_hub-expelled", &HubShow{Base: base(Office, "Port-Exemple", "glance"), Hub: out}},
		{"departement_expel", expel(base(Office, "Exclure ce relais", "glance"))},
		{"departement_expel-refused", refused},
		{"departement_expel-elsewhere", elsewhere},
	}
}

func structureSamples() []Sample {
	var hubs []territory.Hub
	for _, h := range sampleHubs() {
		hubs = append(hubs, h.Hub)
	}
	var rows []StructureRow
	for i, s := range sampleStructures() {
		rows = append(rows, StructureRow{s, [][]string{{"Valbrume", "Port-Exemple"}, {"Port-Exemple"}, nil}[i]})
	}
	form := func(b Base, s territory.Structure) *StructureForm {
		return &StructureForm{Base: b, Signed: sampleSigned, Edited: s, Hubs: hubs}
	}
	change := form(base(Office, "CCAS de Port-Exemple (démo)", "structures"), sampleStructures()[1])
	change.Former = []string{"L’ancien bus"}
	change.SIRET = "11100000000000"
	change.Habilitation = node.HabilitationView{At: SampleNow.Add(-29 * time.Minute), National: true, Entries: []node.DirectoryEntry{
		{Name: "CCAS de Port-Exemple", Commune: "Port-Exemple", SIRET: "11100000000000", Habilitation: node.HabilitationActive, Since: "2024-03-12"},
	}}
	unknown := form(base(Office, "CCAS de Port-Exemple (démo)", "structures"), sampleStructures()[1])
	unknown.Habilitation = node.HabilitationView{At: SampleNow.Add(-29 * time.Minute), National: true}
	stale := form(base(Office, "CCAS de Port-Exemple (démo)", "structures").with(sampleStale), sampleStructures()[1])
	taken := form(base(Office, "Nouvelle structure", "structures").with(Fault{Field: "name", Message: "Une structure porte déjà ce nom dans le territoire. Choisissez-en un autre."}), territory.Structure{Name: "Maison de services (démo)", State: territory.StructureOpen})
	elsewhere := Signed{Version: 4}
	read := form(base(Office, "CCAS de Port-Exemple (démo)", "structures"), sampleStructures()[1])
	read.Signed = elsewhere
	return []Sample{
		{"departement_structure-elsewhere", read},
		{"departement_structures", &Structures{Base: base(Office, "Structures", "structures"), Signed: sampleSigned, Rows: rows}},
		{"departement_structures-empty", &Structures{Base: base(Office, "Structures", "structures"), Signed: elsewhere}},
		{"departement_structure-new", form(base(Office, "Nouvelle structure", "structures"), territory.Structure{State: territory.StructureOpen, Serving: []territory.HubID{{1}}})},
		{"departement_structure", change},
		{"departement_structure-unknown", unknown},
		{"departement_structure-stale", stale},
		{"departement_structure-taken", taken},
	}
}

func registrySamples() []Sample {
	edition := func(version uint32, days int, changes ...territory.Change) node.Edition {
		at := SampleNow.Add(-time.Duration(days) * 24 * time.Hour)
		return node.Edition{Version: version, Issued: at, Taken: at, Expires: at.AddDate(0, 0, 400), Changes: changes}
	}
	registry := func(b Base, s Signed) *Registry {
		return &Registry{Base: b, Signed: s, Roster: sampleRoster(), Root: sampleRoot, Days: "400", History: []node.Edition{
			edition(4, 0, territory.Change{Kind: territory.StructureTurned, Name: "CCAS de Port-Exemple (démo)", State: territory.StructureSuspended}, territory.Change{Kind: territory.HubPutOut, Name: "L’ancien bus"}),
			edition(3, 12, territory.Change{Kind: territory.ChangeRoot}),
			edition(2, 40, territory.Change{Kind: territory.HubAdded, Name: "le bus"}, territory.Change{Kind: territory.StructureAdded, Name: "CCAS de Port-Exemple (démo)"}),
			edition(1, 90, territory.Change{Kind: territory.ChangeFirst}),
		}}
	}
	title := "Le registre du territoire"
	refused := registry(base(Office, title, "registry").with(Fault{Field: "days", Message: "Indiquez une durée de 1 à 1 000 jours, en chiffres."}), sampleSigned)
	refused.Days = "4000"
	rotate := func(b Base, s Signed) *RootRotate { return &RootRotate{Base: b, Signed: s, Root: sampleRoot} }
	wrong := sampleSigned
	wrong.NextCode = 17 * time.Second
	turn := "Changer la clé du territoire"
	return []Sample{
		{"departement_registry", registry(base(Office, title, "registry"), sampleSigned)},
		{"departement_registry-days", refused},
		{"departement_registry-elsewhere", registry(base(Office, title, "registry"), Signed{Version: 4})},
		{"departement_registry-first", &Registry{Base: base(Office, title, "registry")}},
		{"departement_root", rotate(base(Office, turn, "registry"), sampleSigned)},
		{"departement_root-refused", rotate(base(Office, turn, "registry").with(sampleWrongCode), wrong)},
		{"departement_root-elsewhere", rotate(base(Office, turn, "registry"), Signed{Version: 4})},
	}
}
