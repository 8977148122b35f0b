package main

// An alarmRemedy says what to do about an alarm, to the person who looks after
// the machine; the screens say in French, to helpers, what the alarm is.
type alarmRemedy struct {
	english string // what it means, too: relais status has nothing else
	french  string // one sentence, beside the alarm's own message: relais doctor
}

const (
	renewEnglish = "on the hub that keeps the root, relais territory roster --renew; where none does, have the territory issue a roster, then relais territory install roster.note"
	renewFrench  = "Sur le relais qui garde la racine, lancez relais territory roster --renew\u00a0; si aucun ne la garde, demandez au département d’émettre un registre (relais territory issue), puis installez-le ici\u00a0: relais territory install roster.note."
)

// remedies are by the alarms' keys. This is the one place.
var remedies = map[string]alarmRemedy{
	"no-roster": {
		"no mandate can be created; ask your territory for an invitation, then relais join CODE",
		"Demandez une invitation au département, puis lancez relais join CODE.",
	},
	"not-listed": {
		"this hub is not in the roster, the others do not hear it; ask your territory for an invitation, then relais join CODE",
		"Demandez une invitation au département, puis lancez relais join CODE.",
	},
	"expelled": {
		"this hub was expelled for good: what the others had of it before stands, nothing that it does now counts elsewhere; stop using it, keep its folder, call your territory; " +
			"to come back it needs a new identity: stop the hub, relais recover --new-identity, then relais join CODE",
		"Appelez le département\u00a0: ce que les autres avaient reçu avant reste valable, rien de ce qui se fait ici ne compte plus ailleurs, et ce relais ne revient que sous une nouvelle identité\u00a0: " +
			"arrêtez-le, lancez relais recover --new-identity, puis relais join CODE.",
	},
	"roster-expired": {"known hubs still talk to each other; " + renewEnglish, renewFrench},
	"roster-expires": {"within 30 days; " + renewEnglish, renewFrench},
	"clock": {
		"the clock is wrong or cannot be trusted, nothing is granted; set it, then timedatectl status",
		"Mettez la machine à l’heure, puis vérifiez par timedatectl status.",
	},
	"peer-clock": {
		"the page names a hub whose clock and this one's disagree; look at both, and at the battery of the one that is wrong: timedatectl status",
		"Vérifiez l’heure des deux machines (timedatectl status), et la pile de celle qui se trompe.",
	},
	"restored": {
		"this folder is not known to be the newest: a backup was put back, or the counter is gone; leave the hub on and connected until all others answered, then journalctl -u relais for the cause",
		"Laissez le relais allumé et relié jusqu’à ce que tous les autres aient répondu\u00a0; journalctl -u relais dit la cause.",
	},
	"counter": {
		"the machine cannot count for this hub, an old backup put back would go unseen; journalctl -u relais says why: an owner password (tpm2_changeauth -c owner), or a TPM whose storage is full (tpm2_nvundefine)",
		"journalctl -u relais dit pourquoi\u00a0: un mot de passe de propriétaire (tpm2_changeauth -c owner), ou une puce dont la mémoire est pleine (tpm2_nvundefine).",
	},
	"twin": {
		"two machines speak as this hub, nothing is granted here; switch the copy off, and ask your territory for an invitation; then stop this hub, " +
			"relais recover --new-identity, relais join CODE; they approve with --replace, which closes the identity that both had: it is not to be expelled before",
		"Éteignez la copie et demandez une invitation au département, puis arrêtez ce relais, lancez relais recover --new-identity et relais join CODE\u00a0; " +
			"le département l’inscrit en cochant qu’il remplace l’ancien (--replace), sans exclure celui-ci avant.",
	},
	"forked": {
		"a hub's machine was copied or brought back in time, its recent mandates are suspended everywhere; the page names it; switch the copy off, and call your territory",
		"Éteignez la copie, puis appelez le département.",
	},
	"conflict": {
		"a mandate exists in two versions and is refused; have it made again", "Faites établir de nouveau le mandat, et prévenez le département.",
	},
	"wrong-code": {
		"a hub announced a stop with a code that is not the mandate's, to no effect; tell your territory", "Prévenez le département.",
	},
	"mute": {
		"records were kept that this version cannot read; see relais version and bring this hub up to date",
		"Comparez relais version avec les autres relais, et mettez celui-ci à jour.",
	},
	"unsigned": {
		"the machine's key does not answer and nothing leaves this hub; look at the TPM, then journalctl -u relais",
		"Regardez l’état de la puce de sécurité ci-dessus, puis journalctl -u relais.",
	},
	"logs": {
		"a hub began its history again many times: its machine is often brought back in time, or taken over; call your territory", "Appelez le département.",
	},
	"flood": {
		"a site stopped many mandates of others in an hour; check with it, and tell your territory", "Vérifiez avec ce site, et prévenez le département.",
	},
	"island": {
		"no other hub answers; look at the box and the cable, then at [link] in the configuration",
		"Regardez la box et le câble, puis [link] dans la configuration.",
	},
	"national": {
		"the national service has not answered for a day; the room does not need it; look at [national] in the configuration",
		"Regardez [national] dans la configuration, et si son adresse se laisse joindre d’ici.",
	},
	"journal-refused": {
		"this hub's journal is not the continuation of what the national service saw of it: an older database was put back, or the journal was rewritten; " +
			"erase nothing, keep a copy of the folder, put the newest database back if there is one, and call your territory",
		"Gardez une copie du dossier du relais, remettez la base de données la plus récente s’il y en a une, et appelez le département.",
	},
	"drift": {
		"this hub and the national service still differ after a pass; if it lasts, tell your territory", "Si cela dure, prévenez le département.",
	},
}

// remedyOf returns what to do about an alarm, be it of a later version.
func remedyOf(alarm string) alarmRemedy {
	if words, known := remedies[alarm]; known {
		return words
	}
	return alarmRemedy{"see the page État du territoire", "Voyez la page État du territoire."}
}

// remedy is what relais status says of an alarm.
func remedy(alarm string) string { return remedyOf(alarm).english }
