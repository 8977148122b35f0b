package locale

import (
	"time"

	"relais/node"
)

// Habilitation says where a structure stands with Aidants Connect, a national
// decision: "active depuis le 12 mars 2024".
func Habilitation(e node.DirectoryEntry) string {
	switch e.Habilitation {
	case node.HabilitationActive:
		return "active depuis le " + civilDay(e.Since)
	case node.HabilitationEnded:
		return "terminée depuis le " + civilDay(e.Since)
	case node.HabilitationNone:
		return "aucune"
	}
	return "active, d’après l’annuaire public, qui ne dit pas depuis quand"
}

// civilDay writes a day that is kept as YYYY-MM-DD: "12 mars 2024".
func civilDay(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return Day(t)
}

// Aside says why an item of the national list could not be read.
func Aside(reason string) string {
	switch reason {
	case "id":
		return "son identifiant n’en est pas un"
	case "name":
		return "elle n’a pas de nom"
	case "text":
		return "un de ses textes est trop long, ou contient un caractère qui ne s’imprime pas"
	case "siret":
		return "son SIRET n’a pas 14\u00a0chiffres"
	case "habilitation":
		return "ce qui est dit de son habilitation ne se comprend pas"
	}
	return "ce n’est pas une structure comme cette version de Relais les connaît"
}
