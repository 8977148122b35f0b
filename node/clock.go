package node

import (
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/record"
	"relais/node/territory"
)

// grantsBlocked refuses grants while this hub's clock cannot be right: before its
// own release, before its own last record, or too far from its peers'. Stops are
// never refused for that.
func (n *Node) grantsBlocked(now time.Time) error {
	blocked := func(message, why string, args ...any) error {
		return fault.Errorf(fault.Unavailable, message, why, args...)
	}
	if now.Before(n.release) {
		return blocked(clockWrong, "clock %s is before the release %s", now.UTC().Format(time.RFC3339), n.release.UTC().Format(time.RFC3339))
	}
	if ahead, known := n.clockAhead(now); known && ahead.Abs() > record.MaxClockSkew {
		return blocked(clockWrong, "clock is %s ahead of the peers' median", ahead.Round(time.Second))
	}
	if n.outvoted(now) {
		return blocked(clockWrong, "the dates of most peers' certificates do not hold at %s", now.UTC().Format(time.RFC3339))
	}
	last := n.publishing.lastTime()
	if !now.Before(last) || n.datedAhead(last, now) {
		return nil
	}
	message := "L’horloge de ce relais vient d’être reculée\u00a0: aucun mandat ne peut être créé pour l’instant. Arrêter un mandat reste possible. Réessayez dans quelques minutes."
	if last.Sub(now) > record.MaxClockSkew {
		message = "L’horloge de ce relais a été en avance\u00a0: sa dernière écriture est datée du " + n.day(last) + ". Aucun mandat ne peut être créé tant qu’un autre relais n’a pas confirmé l’heure. Arrêter un mandat reste possible. Vérifiez l’heure de la machine et la connexion aux autres relais\u00a0: dès que l’un d’eux répond, tout reprend sans autre geste."
	}
	return blocked(message, "clock %s is before the last record %s", now.UTC().Format(time.RFC3339), last.Format(time.RFC3339))
}

const clockWrong = "L’horloge de ce relais n’est pas à l’heure\u00a0: aucun mandat ne peut être créé. Arrêter un mandat reste possible. Prévenez le service informatique."

// datedAhead tells whether a record of ours carries a time that is yet to come,
// by our clock and by its peers', who confirm it. Time never goes back within a
// log, so the next record begins another one: else every record until then would
// bear that time, and nothing could be granted.
func (n *Node) datedAhead(last, now time.Time) bool {
	ahead, known := n.clockAhead(now)
	return known && ahead.Abs() <= record.MaxClockSkew && last.Sub(now) > record.MaxClockSkew
}

// day is a date as people here write it.
func (n *Node) day(at time.Time) string {
	if roster := n.Roster(); roster != nil {
		at = at.In(roster.Location())
	}
	return at.Format("02/01/2006")
}

// clockAlarms names the hubs whose clock and ours do not agree, though ours is
// right by most of the others.
func (n *Node) clockAlarms(now time.Time, roster *territory.Roster, add func(string, time.Time, string)) {
	if roster == nil {
		return
	}
	for _, hub := range roster.Hubs {
		if hub.State != territory.HubActive || hub.ID == n.self {
			continue
		}
		if n.clockWrong(hub.ID, now) {
			add("peer-clock", now, fmt.Sprintf("L’horloge de «\u00a0%s\u00a0» et celle d’ici ne s’accordent pas. Ce qui est arrêté là-bas est pris en compte ici\u00a0; les mandats qui y sont créés attendent. Vérifiez l’heure des deux machines\u00a0; si celle de «\u00a0%s\u00a0» se trompe après chaque arrêt, sa pile est à remplacer.", hub.Name, hub.Name))
		}
	}
}

// clockWrong tells whether a peer's clock is known to be wrong: it is far from
// ours, which is right by most of the others, or the dates of what it shows do not
// hold. What it grants meanwhile waits here; what it stops is stopped. Where it is
// ours that most contradict, nobody else's is said to be wrong.
func (n *Node) clockWrong(hub territory.HubID, now time.Time) bool {
	if n.outvoted(now) {
		return false
	}
	median, _ := n.clockAhead(now)
	if n.publishing.aheadOf(hub, now).Abs() > record.MaxClockSkew && median.Abs() <= record.MaxClockSkew {
		return true
	}
	return n.outOfDate(hub, now)
}

// noteTime keeps the time of this hub's last record. It goes back only with a
// new log.
func (p *publishing) noteTime(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = at
}

func (p *publishing) lastTime() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}
