package locale

import (
	"fmt"

	"relais/node/territory"
)

// Messages of the département's forms.
const (
	SiteMissing        = "Écrivez pour quel site est l’invitation : son nom, ou celui de la commune."
	LifeMissing        = "Choisissez combien de temps le code est valable."
	FingerprintMissing = "Écrivez l’empreinte que le site vous lit, quatre groupes de quatre caractères."
	HubNameMissing     = "Écrivez le nom du relais pour confirmer."
	HubNameDiffers     = "Ce n’est pas le nom de ce relais. Vérifiez que c’est bien lui que vous voulez exclure."
	StructureState     = "Choisissez si la structure est ouverte, suspendue ou fermée."
	DaysInvalid        = "Indiquez une durée de 1 à 1 000 jours, en chiffres."
	NotDepartement     = "Cette page est celle du département. Votre compte est celui d’une structure : il ne l’ouvre pas."
	NotDesk            = "Cette page est celle des aidants. Le compte du département ne voit ni les personnes ni leurs mandats."
	RequestSettled     = "Cette demande a déjà reçu une réponse : rien n’a été fait de plus."
	InvitationGone     = "Cette invitation n’attend plus personne : elle a servi, elle est finie ou elle a été retirée."
	FlashUninvited     = "L’invitation est retirée : son code ne sert plus à rien."
	FlashRefused       = "La demande est refusée. L’invitation a servi : pour un nouvel essai, faites-en une autre."
	FlashApproved      = "Ce relais a sa place dans le territoire. Il l’apprend de lui-même, sans rien retaper."
	FlashExpelled      = "Ce relais est exclu. Les autres relais l’apprennent dès qu’ils sont joints."
	FlashExpelledOnce  = "Ce relais était déjà exclu : rien n’a été fait de plus."
	FlashStructure     = "La structure est enregistrée. Les relais l’apprennent dès qu’ils sont joints."
	FlashRenewed       = "Le registre est renouvelé. Les relais le reçoivent dès qu’ils sont joints."
	FlashRotated       = "La clé du territoire est changée. Les relais suivent d’eux-mêmes : vous n’avez rien à faire chez eux."
)

// LifeWords are how long an invitation is good for.
type LifeWords struct {
	Days         int
	Title, About string
}

// Lives are the three choices, shortest first.
var Lives = []LifeWords{
	{1, "1 jour", "La machine est installée aujourd’hui."},
	{7, "7 jours", "Le temps de trouver un moment."},
	{31, "31 jours", "Le plus long possible."},
}

// StructureStateWords are what the territory lets a structure do.
type StructureStateWords struct {
	Key                 territory.StructureState
	Title, Label, About string
}

// StructureStates are the three states, the usual one first.
var StructureStates = []StructureStateWords{
	{territory.StructureOpen, "Ouverte", "ouverte", "Elle crée et utilise des mandats."},
	{territory.StructureSuspended, "Suspendue", "suspendue", "Ses mandats attendent : ils ne peuvent être ni créés ni utilisés. Les personnes peuvent toujours les arrêter."},
	{territory.StructureClosed, "Fermée", "fermée", "Elle ne tient plus de mandat. À choisir quand elle quitte le territoire."},
}

// StructureLabel writes a structure's state, for badges.
func StructureLabel(s territory.StructureState) string {
	for _, w := range StructureStates {
		if w.Key == s {
			return w.Label
		}
	}
	return string(s)
}

// Change writes a line of the roster's history.
func Change(c territory.Change) string {
	switch c.Kind {
	case territory.ChangeFirst:
		return "Le premier registre que ce relais a reçu."
	case territory.ChangeRenewed:
		return "Renouvelé, sans autre changement."
	case territory.ChangeRoot:
		return "Signé par une nouvelle clé du territoire."
	case territory.ChangeName:
		return "Le territoire s’appelle « " + c.Name + " »."
	case territory.ChangeNational:
		return "Ce qui est dit du service national a changé."
	case territory.HubAdded:
		return "Le relais " + Of(c.Name) + " a reçu sa place."
	case territory.HubChanged:
		return "La description du relais " + Of(c.Name) + " a changé."
	case territory.HubPutOut:
		return "Le relais " + Of(c.Name) + " a été exclu."
	case territory.StructureAdded:
		return "La structure « " + c.Name + " » a été ajoutée."
	case territory.StructureChanged:
		return "La structure « " + c.Name + " » a été modifiée."
	case territory.StructureTurned:
		return "La structure « " + c.Name + " » est maintenant " + StructureLabel(c.State) + "."
	case territory.StructureRemoved:
		return "La structure « " + c.Name + " » a été retirée."
	}
	return "Un changement qu’une version plus récente sait lire."
}

// Remedy is what the département itself can do about an alarm: one sentence, and
// the page where it is done, which may be empty.
type Remedy struct{ Text, Title, Link string }

// RemedyOf returns the remedy for an alarm's key; empty for one that has none
// here.
func RemedyOf(key string) Remedy {
	switch key {
	case "roster-expired", "roster-expires":
		return Remedy{"Le département, c’est vous : renouvelez-le maintenant, il vaudra pour une autre période.", "Renouveler le registre", "/departement/registre"}
	case "no-roster":
		return Remedy{"Signez-le avec la clé du territoire, puis donnez-le à ce relais par la commande relais territory install.", "", ""}
	case "not-listed":
		return Remedy{"Faites une invitation sur un relais inscrit, et donnez le code à qui s’occupe de celui-ci.", "", ""}
	case "expelled":
		return Remedy{"Ce relais doit recevoir une nouvelle identité (relais recover --new-identity), puis demander sa place.", "", ""}
	case "twin", "forked":
		return Remedy{"Faites éteindre la copie et donner au relais une nouvelle identité (relais recover --new-identity), puis inscrivez-le à la place de l’ancien. Ne l’excluez pas avant : ce que lui seul sait encore serait perdu.", "Inviter un relais", "/departement/inviter"}
	case "logs":
		return Remedy{"Faites arrêter la machine, puis excluez ce relais : il reviendra avec une nouvelle identité.", "", ""}
	case "flood":
		return Remedy{"Appelez le site. Si personne n’a demandé ces arrêts, excluez ce relais.", "", ""}
	case "conflict", "wrong-code", "drift":
		return Remedy{"Appelez le site concerné et faites regarder son relais.", "", ""}
	}
	return Remedy{}
}

// DaysLeft writes how long a roster still holds.
func DaysLeft(days int) string {
	switch {
	case days < 0:
		return "n’est plus à jour"
	case days == 0:
		return "finit aujourd’hui"
	}
	return fmt.Sprintf("encore %s", Plural(days, "jour", "jours"))
}
