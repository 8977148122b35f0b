package main

// An alarmRemedy says what to do about an alarm, to the person who looks after
// the machine; the screens say in French, to helpers, what the alarm is.
type alarmRemedy struct {
	english string // what it means, too: relais status has nothing else
	french  string // one sentence, beside the alarm's own message: relais doctor
}

const (
	renewEnglish = "have the territory issue a roster, then relais territory install roster.note"
	renewFrench  = "Demandez au département d’émettre un registre (relais territory issue), puis installez-le ici\u00a0: relais territory install roster.note."
)

// remedies are by the alarms' keys. This is the one place.
var remedies = map[string]alarmRemedy{
	"no-roster": {
		"no mandate can be created; ask your territory for its roster, then relais territory install roster.note", renewFrench,
	},
	"not-listed": {
		"this hub is not in the roster, the others do not hear it; hand hub.json to your territory: relais territory add-hub, then issue",
		"Remettez hub.json au département (relais territory add-hub, puis issue), puis installez ici le registre qu’il rend.",
	},
	"expelled": {
		"this hub was expelled, what it does is not recognised elsewhere; call your territory", "Appelez le département.",
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
	"forked": {
		"a hub's machine was copied or brought back in time, its recent mandates are suspended everywhere; call your territory", "Appelez le département.",
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
