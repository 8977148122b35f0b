package locale

import "fmt"

// kiosk is the catalogue of the kiosk's screens, French first. Keys are said by
// the templates; a missing one fails the page's test.
var kiosk = map[string]string{
	"home.title":       "Bonjour. Que voulez-vous faire ?",
	"home.hello":       "Bonjour.",
	"home.question":    "Que voulez-vous faire ?",
	"home.lead":        "Touchez un bouton. Rien n’est gardé quand vous partez.",
	"home.stop":        "Arrêter mon mandat",
	"home.stop.about":  "Avec le code de votre papier",
	"home.rights":      "Mes droits",
	"home.rights.of":   "Arrêter, savoir ce qui est noté et qui l’a lu, faire effacer",
	"call":             "Appeler quelqu’un",
	"call.title":       "J’ai besoin d’aide",
	"call.lead":        "Gardez cet écran affiché : il se voit de loin. Vous pouvez aussi aller à l’accueil.",
	"call.back":        "Quelqu’un est venu",
	"erase":            "Quitter et tout effacer",
	"back":             "Retour",
	"stop.title":       "Arrêter mon mandat",
	"stop.lead":        "Écrivez le code de votre papier. Il est dans le cadre « Pour arrêter ce mandat ».",
	"stop.label":       "Code d’arrêt",
	"stop.hint":        "17 lettres, chiffres ou signes, par groupes de 4. Majuscules et tirets ne comptent pas.",
	"stop.effect":      "Le mandat s’arrête tout de suite, dans tous les relais. Vous n’avez pas de raison à donner.",
	"stop.submit":      "Arrêter ce mandat",
	"stop.lost":        "Je n’ai pas mon papier",
	"stop.lost.about":  "Demandez au bureau de la structure qui a fait le mandat. Avec votre papier, au bureau de n’importe quel relais.",
	"unable.title":     "Rien n’a été arrêté ici",
	"unable.lead":      "Cette borne ne peut rien arrêter en ce moment : elle n’est plus reliée aux autres. Votre mandat continue.",
	"unable.works":     "Ce qui marche",
	"unable.other":     "Une autre borne, avec le même code",
	"unable.other.p":   "Dans n’importe quel autre lieu qui a un relais. Gardez bien votre papier : son code est toujours bon.",
	"unable.desk":      "Le bureau d’un autre lieu",
	"unable.desk.p":    "Montrez votre papier. Vous n’avez pas de raison à donner.",
	"unable.letter":    "Une lettre à la structure qui a fait le mandat",
	"unable.letter.p":  "Écrivez « J’arrête mon mandat », avec le numéro du mandat, la date et votre signature. Le nom de la structure et le numéro sont sur votre papier. Gardez une copie.",
	"unable.help":      "Quelqu’un à l’accueil peut vous aider.",
	"receipt.title":    "C’est arrêté",
	"receipt.already":  "C’était déjà arrêté",
	"receipt.lead":     "Plus personne n’a le droit d’utiliser ce mandat.",
	"receipt.leads":    "Plus personne n’a le droit d’utiliser ces mandats.",
	"receipt.number":   "Reçu n°",
	"receipt.when":     "Quand",
	"receipt.where":    "Où",
	"receipt.pending":  "C’est effectif ici dès maintenant. L’envoi aux autres relais est en cours.",
	"receipt.away":     "%s : l’arrêt y sera appliqué dès qu’il sera joint.",
	"receipt.still":    "Arrêté dans nos relais. Encore actif dans Aidants Connect jusqu’à ce que votre structure l’y arrête.",
	"receipt.who":      "%s doit l’y arrêter avant le %s. Vous pouvez le lui rappeler.",
	"receipt.there":    "Arrêté aussi dans Aidants Connect, le %s.",
	"receipt.keep":     "Imprimez ce reçu ou recopiez le numéro : il aide à retrouver votre demande.",
	"receipt.print":    "Imprimer le reçu",
	"receipt.anew":     "Besoin d’aide encore ? Un nouveau mandat se fait au bureau, quand vous voulez.",
	"rights.title":     "Mes droits",
	"rights.stop":      "Je peux arrêter",
	"rights.stop.p":    "J’arrête un mandat quand je veux, sans donner de raison, à la borne ou au bureau de n’importe quel relais avec mon papier, ou au bureau de la structure.",
	"rights.read":      "Je peux savoir",
	"rights.read.p":    "Je demande au bureau ce qui est noté sur moi, qui l’a lu et ce qui a été fait pour moi.",
	"rights.keep":      "Mes mots de passe restent à moi",
	"rights.keep.p":    "La structure ne garde jamais mes mots de passe. Personne ne se connecte à mes comptes sans moi avec un mandat d’ici.",
	"rights.where":     "Mes informations restent ici",
	"rights.where.p":   "Mon nom et mes démarches restent dans la structure qui m’aide. Les autres relais savent seulement si le mandat est en cours ou arrêté.",
	"rights.forget":    "Je peux faire effacer",
	"rights.forget.p":  "Je demande au bureau d’effacer ce qui n’a plus besoin d’être gardé.",
	"fresh.at":         "Informations à jour %s",
	"problem.home":     "Revenir à l’accueil",
	"code.wrong.title": "Ce code n’arrête aucun mandat",
}

// Kiosk returns a sentence of the kiosk. An unknown key is an error, so that a
// page that lacks a sentence is not shown without it.
func Kiosk(key string, args ...any) (string, error) {
	text, found := kiosk[key]
	if !found {
		return "", fmt.Errorf("the catalogue of the kiosk has no %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}
