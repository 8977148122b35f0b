package locale

import (
	"fmt"
	"strings"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
)

// staleAfter is when the header begins to say how old the information is.
const staleAfter = 5 * time.Minute

// Freshness writes how old the information is: "Informations à jour à 09:42 ·
// 3 relais sur 3", or that no other hub is within reach. Both times are in the
// zone shown; at is zero for never.
func Freshness(now, at time.Time, seen, expected int) string {
	hubs := fmt.Sprintf(" · %d relais sur %d", seen, expected)
	switch {
	case expected < 2:
		return "Ce relais est seul dans son territoire"
	case at.IsZero():
		return "Informations jamais comparées avec un autre relais" + hubs
	case seen < 2 && daysBetween(at, now) == 0:
		return "Hors ligne · informations à jour à " + Clock(at) + " (il y a " + Span(now.Sub(at)) + ")"
	case seen < 2:
		return "Hors ligne · informations à jour " + Moment(now, at)
	case daysBetween(at, now) != 0:
		return "Informations à jour " + Moment(now, at) + hubs
	case now.Sub(at) >= staleAfter:
		return "Informations à jour à " + Clock(at) + " (il y a " + Span(now.Sub(at)) + ")" + hubs
	}
	return "Informations à jour à " + Clock(at) + hubs
}

// Fresh tells whether the information may be shown as current.
func Fresh(now, at time.Time, seen, expected int) bool {
	return expected < 2 || (!at.IsZero() && now.Sub(at) < staleAfter && seen >= expected)
}

// Where writes where a stop was done: "à la borne de Port-Exemple".
func Where(c record.Channel, site string) string {
	switch c {
	case record.ChannelKiosk:
		return "à la borne " + Of(site)
	case record.ChannelDesk:
		return "au bureau " + Of(site)
	case record.ChannelNational:
		return "par le service national"
	}
	return "par " + site
}

// Stop writes a stop in one sentence, in the past: "Arrêté hier à 17:58 à la
// borne de Port-Exemple, à la demande de la personne." Times are in the zone
// shown.
func Stop(now time.Time, zone *time.Location, s node.StopView) string {
	at := s.ReceivedAt
	if !s.Claimed.IsZero() {
		at = s.Claimed
	}
	return fmt.Sprintf("Arrêté %s %s, %s.", Moment(now, at.In(zone)), Where(s.Channel, s.WhereName), Reason(s.Reason))
}

// StillWho writes who is to stop a mandate in Aidants Connect: "la Maison de
// services, au relais de Valbrume". where is empty when no hub serves her.
func StillWho(structure, where string) string {
	if where == "" {
		return structure
	}
	return structure + ", au relais " + Of(where) + ","
}

// StopLines says what a stop covers: "tout le mandat", "la ligne 2", "les
// lignes 1 et 3".
func StopLines(lines uint32) string {
	var numbers []string
	for n := range mandate.MaxLines {
		if lines&(1<<n) != 0 {
			numbers = append(numbers, fmt.Sprint(n+1))
		}
	}
	switch len(numbers) {
	case 0:
		return "tout le mandat"
	case 1:
		return "la ligne " + numbers[0]
	}
	return "les lignes " + And(numbers)
}

// And joins words as French does: "1, 2 et 3".
func And(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " et " + words[last]
}

// Why writes why a line may not be used, and what to do. Empty when it may.
func Why(v mandate.Verdict) string {
	switch v.Why {
	case "":
		return ""
	case mandate.WhyUnknown:
		return "Ce relais ne connaît pas encore ce mandat."
	case mandate.WhyConflict:
		return "Deux mandats portent ce numéro : aucun n’est utilisable. Prévenez le département."
	case mandate.WhyStopped:
		return "Cette ligne est arrêtée. Ne l’utilisez plus."
	case mandate.WhyNotStarted:
		return "Ce mandat n’a pas encore commencé."
	case mandate.WhyExpired:
		return "Ce mandat est arrivé à sa fin. Proposez un nouveau mandat."
	case mandate.WhyDone:
		return "Ce mandat est terminé : ce qui était demandé est fait."
	case mandate.WhyNoSuchLine:
		return "Ce mandat n’a pas cette ligne."
	case mandate.WhyStructure:
		return "La structure n’est pas autorisée pour cette démarche aujourd’hui. Voyez votre référent."
	case mandate.WhyHelper:
		return "Votre compte ne permet pas d’utiliser ce mandat. Voyez votre référent."
	case mandate.WhyPaper:
		return "La copie signée est attendue avant la première démarche."
	case mandate.WhyClock:
		return "L’horloge du relais d’origine de ce mandat n’est pas à l’heure : il attend qu’elle le soit. Prévenez le service informatique."
	case mandate.WhyQuarantined:
		return "Le relais d’origine de ce mandat est mis à l’écart. Prévenez le département."
	}
	return "Cette ligne ne peut pas être utilisée."
}
