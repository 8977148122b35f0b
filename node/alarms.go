package node

import (
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// How long something may last before it is worth an alarm.
const (
	islandAfter   = 15 * time.Minute
	unsignedAfter = 5 * time.Minute
	nationalAfter = 26 * time.Hour      // a pass is missed now and then
	expiresWithin = 30 * 24 * time.Hour // of the roster
)

// Alarm is something a person should look at, with what to do.
type Alarm struct {
	Key     string // constant, for machines
	Message string // French, remedy included
	At      time.Time
}

// symptoms are what the alarms are computed from, besides the view. Nothing of
// an alarm is stored: it ends when its cause does.
type symptoms struct {
	records store.Troubles
	forks   []store.Fork
	counter continuity
	desks   []store.DeskCount // stops at desks in the last hour
	crowded []territory.HubID // authors with as many logs as are kept
	pass    store.NationalPass
	passed  bool
}

// alarms lists what is wrong, the gravest first.
func (n *Node) alarms(now time.Time, v TerritoryView, s symptoms) (list []Alarm) {
	add := func(key string, at time.Time, message string) {
		list = append(list, Alarm{Key: key, Message: message, At: at})
	}
	standing(n.self, now, v.Roster, add)
	if err := n.grantsBlocked(now); err != nil {
		add("clock", now, fault.Of(err).Message)
	}
	n.clockAlarms(now, v.Roster, add)
	n.counterAlarms(now, s.counter, add)
	n.forkAlarms(v.Roster, s.forks, add)
	recordAlarms(now, s.records, add)
	n.floodAlarms(v.Roster, s.desks, add)
	for _, hub := range s.crowded {
		add("logs", now, fmt.Sprintf("«\u00a0%s\u00a0» a recommencé son histoire %d\u00a0fois\u00a0: sa machine est souvent ramenée en arrière, ou elle est détournée. Ce qu’elle dirait sous une histoire de plus n’est plus gardé. Appelez le département.", n.hubName(hub), record.MaxLogs))
	}
	if !v.Seen.Refused.IsZero() {
		add("journal-refused", v.Seen.Refused, fmt.Sprintf("Le service national ne reconnaît plus le journal de ce relais\u00a0: ce n’est pas la suite de ce qu’il avait vu (%s). Une sauvegarde a été remise en place, ou le journal a été réécrit. Ne supprimez rien, et appelez le département.", lines(v.Seen.Held)))
	}
	contactAlarms(now, v, s, add)
	return list
}

// standing is where a hub stands in its territory.
func standing(self territory.HubID, now time.Time, roster *territory.Roster, add func(string, time.Time, string)) {
	if roster == nil {
		add("no-roster", now, "Ce relais n’a pas encore le registre de son territoire\u00a0: aucun mandat ne peut être créé. Demandez-le au département.")
		return
	}
	hub, listed := roster.Hub(self)
	switch {
	case !listed:
		add("not-listed", roster.IssuedAt, "Ce relais n’est pas inscrit au registre du territoire\u00a0: les autres ne l’entendent pas. Demandez son inscription au département.")
	case hub.State == territory.HubExpelled:
		add("expelled", roster.IssuedAt, "Ce relais a été exclu du territoire\u00a0: ce qu’il fait n’est plus reconnu ailleurs. Appelez le département.")
	}
	switch left := roster.ExpiresAt.Sub(now); {
	case left < 0:
		add("roster-expired", roster.ExpiresAt, "Le registre du territoire n’est plus à jour. Les relais connus continuent de se parler\u00a0; demandez le nouveau registre au département.")
	case left < expiresWithin:
		add("roster-expires", roster.ExpiresAt.Add(-expiresWithin), fmt.Sprintf(
			"Le registre du territoire est valable encore %d\u00a0jours. Prévenez le département qu’il est à renouveler.", int(left.Hours()/24)))
	}
}

// counterAlarms is what the counter says of this folder.
func (n *Node) counterAlarms(now time.Time, c continuity, add func(string, time.Time, string)) {
	if d := c.Doubt; d != nil {
		alone := len(n.others()) == 0
		waiting := !alone && n.fresh.latest(now).Before(d.since())
		add("restored", d.since(), d.message(waiting, alone))
	}
	if c.Without {
		add("counter", now, "La machine de ce relais ne peut pas compter pour lui\u00a0: une sauvegarde ancienne remise en place pourrait passer inaperçue. La salle peut continuer. Prévenez le service informatique, qui trouvera la cause dans le journal du système.")
	}
}

// forkAlarms names the hubs that have two histories, until the territory closes
// them: whichever machine spoke, it speaks no more, and its mandates stay suspended.
func (n *Node) forkAlarms(roster *territory.Roster, forks []store.Fork, add func(string, time.Time, string)) {
	for _, f := range forks {
		var hub territory.Hub
		if roster != nil {
			hub, _ = roster.Hub(f.Hub)
		}
		switch {
		case hub.State == territory.HubExpelled: // as standing says, of this hub
		case f.Hub == n.self && f.Logs >= twinForks:
			add("twin", f.Since, twinned)
		case f.Hub == n.self:
			add("forked", f.Since, "Ce relais a deux histoires différentes\u00a0: sa machine a été copiée ou ramenée en arrière. Ses mandats récents sont suspendus partout. S’il en existe une copie, éteignez-la, et appelez le département.")
		default:
			add("forked", f.Since, fmt.Sprintf("«\u00a0%s\u00a0» a deux histoires différentes\u00a0: sa machine a été copiée ou ramenée en arrière. Ses mandats récents sont suspendus partout. Appelez ce site et le département.", n.hubName(f.Hub)))
		}
	}
}

// recordAlarms is what the records say that should not be.
func recordAlarms(now time.Time, t store.Troubles, add func(string, time.Time, string)) {
	if t.Conflicts.Count > 0 {
		add("conflict", t.Conflicts.Since, conflicts(t.Conflicts.Count))
	}
	if t.BadCodes.Count > 0 {
		add("wrong-code", t.BadCodes.Since, "Un relais a annoncé un arrêt par code avec un code qui n’est pas le bon. Il est resté sans effet. Prévenez le département.")
	}
	if t.Mute.Count > 0 {
		add("mute", t.Mute.Since, "Des informations reçues d’autres relais n’ont pas pu être prises en compte\u00a0: elles viennent d’une version plus récente, ou d’un relais mal réglé. Elles sont gardées. Demandez au service informatique si ce relais est à jour.")
	}
	if t.Unsigned.Count > 0 && now.Sub(t.Unsigned.Since) > unsignedAfter {
		add("unsigned", t.Unsigned.Since, "Ce qui a été fait ici est effectif ici, et n’est pas encore parti vers les autres relais\u00a0: la clé de la machine ne répond pas. Prévenez le service informatique.")
	}
}

// floodAlarms names the hubs that stopped more mandates of structures they do not
// serve than a desk may in an hour. They were applied all the same.
func (n *Node) floodAlarms(roster *territory.Roster, desks []store.DeskCount, add func(string, time.Time, string)) {
	if roster == nil {
		return
	}
	counts := map[territory.HubID]int{}
	var order []store.DeskCount
	for _, d := range desks {
		if roster.National != nil && roster.National.ID == d.Hub {
			continue // it stops for all of them
		}
		if s, known := roster.Structure(d.Structure); known && s.ServedBy(d.Hub) {
			continue
		}
		if counts[d.Hub] == 0 {
			order = append(order, d)
		}
		counts[d.Hub] += d.Count
	}
	for _, d := range order {
		if counts[d.Hub] > maxForeignStops {
			add("flood", d.Since, fmt.Sprintf("«\u00a0%s\u00a0» a arrêté %d\u00a0mandats d’autres structures en une heure. Ils sont arrêtés. Vérifiez avec ce site que les personnes l’ont demandé, et prévenez le département.", n.hubName(d.Hub), counts[d.Hub]))
		}
	}
}

// contactAlarms is who no longer answers.
func contactAlarms(now time.Time, v TerritoryView, s symptoms, add func(string, time.Time, string)) {
	f := v.Freshness
	if f.Expected > 1 && f.Seen == 1 && now.Sub(f.At) > islandAfter {
		add("island", f.At, "Aucun autre relais ne répond. La salle peut continuer\u00a0; les arrêts faits ailleurs ne sont plus connus ici. Vérifiez la box et le câble, puis prévenez le service informatique.")
	}
	if v.Roster == nil || v.Roster.National == nil || !s.passed {
		return
	}
	switch {
	case s.pass.Err != "" && now.Sub(f.National) > nationalAfter:
		add("national", f.National, "Le service national ne répond plus depuis plus d’une journée. La salle n’en dépend pas. Prévenez le service informatique.")
	case s.pass.Err == "" && s.pass.Drift > 0:
		add("drift", s.pass.At, fmt.Sprintf("Après le dernier passage, %s avec le service national. Si cela dure, prévenez le département.", differences(s.pass.Drift)))
	}
}

func conflicts(n int) string {
	if n == 1 {
		return "Un mandat existe en deux versions et ne peut pas être utilisé. Créez-en un nouveau, et prévenez le département."
	}
	return fmt.Sprintf("%d\u00a0mandats existent en deux versions et ne peuvent pas être utilisés. Créez-en de nouveaux, et prévenez le département.", n)
}

func lines(n int64) string {
	if n < 2 {
		return fmt.Sprintf("%d\u00a0ligne", n)
	}
	return fmt.Sprintf("%d\u00a0lignes", n)
}

func differences(n int) string {
	if n == 1 {
		return "il reste un écart"
	}
	return fmt.Sprintf("il reste %d\u00a0écarts", n)
}
