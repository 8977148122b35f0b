package locale

import (
	"time"

	"relais/node"
	"relais/node/mandate"
)

// StateSentence says what a mandate's state means and what to do: what
// happened, what it means, what comes next. end is its end, in the zone shown;
// mirror tells that it was made in Aidants Connect.
func StateSentence(now time.Time, zone *time.Location, s mandate.State, end time.Time, stops []node.StopView, mirror bool) string {
	until := Instant(end.In(zone))
	if mirror && s == mandate.StateAwaitingPaper {
		return "Ce mandat est fait dans Aidants Connect. Remettez à la personne son papier d’arrêt\u00a0: les démarches se notent ici ensuite."
	}
	switch s {
	case mandate.StateAwaitingPaper:
		return "Ce mandat attend les deux copies signées. La première démarche pourra commencer quand une copie aura été remise à la personne."
	case mandate.StateActive:
		return "Ce mandat est actif jusqu’au " + until + ", ou dès que c’est fait."
	case mandate.StatePartly:
		return "Une partie de ce mandat est arrêtée. Le reste est actif jusqu’au " + until + "."
	case mandate.StateStopped:
		return "Ce mandat a été arrêté" + firstStop(now, zone, stops) + ". Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat."
	case mandate.StateDone:
		return "Ce mandat est terminé : ce qui était demandé est fait."
	case mandate.StateExpired:
		return "Ce mandat est arrivé à sa fin le " + until + ". Vous ne pouvez plus l’utiliser. Si la personne est là, proposez un nouveau mandat."
	case mandate.StateUnusable:
		return "Ce mandat ne peut pas être utilisé. Le territoire doit d’abord vérifier ce qui s’est passé : prévenez votre référent."
	}
	return ""
}

func firstStop(now time.Time, zone *time.Location, stops []node.StopView) string {
	if len(stops) == 0 {
		return ""
	}
	first := stops[0]
	at := first.ReceivedAt
	if !first.Claimed.IsZero() {
		at = first.Claimed
	}
	return " " + Moment(now, at.In(zone)) + " " + Where(first.Channel, first.WhereName)
}
