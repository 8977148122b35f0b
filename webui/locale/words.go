package locale

import (
	"strings"
	"unicode/utf8"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/record"
)

// ScopeWords are a démarche as people read it.
type ScopeWords struct {
	Key mandate.Scope
	mandate.ScopeText
}

// Scopes are the ten démarches, in the order of the national service. Their
// words are the domain's, because papers carry them.
func Scopes() []ScopeWords {
	var all []ScopeWords
	for _, key := range mandate.Scopes() {
		all = append(all, ScopeWords{key, key.Text()})
	}
	return all
}

// Scope writes a démarche's title; the key itself when it is none of the ten.
func Scope(key mandate.Scope) string {
	if title := key.Text().Title; title != "" {
		return title
	}
	return string(key)
}

// Theme writes the theme of a visit: a démarche, or that there is none.
func Theme(key string) string {
	if key == "" {
		return "autre sujet"
	}
	return Scope(mandate.Scope(key))
}

// TermWords are a duration as people choose it.
type TermWords struct {
	Key          mandate.Term
	Title, About string
	Days         string
}

// Terms are the four durations, shortest first.
var Terms = []TermWords{
	{mandate.Short, "1 jour", "Pour une démarche faite tout de suite.", "24 heures"},
	{mandate.Month, "1 mois", "Le temps d’avoir une réponse.", "31 jours"},
	{mandate.Semester, "6 mois", "Pour une démarche longue, avec des pièces à fournir.", "182 jours"},
	{mandate.Long, "1 an", "Pour un accompagnement qui revient dans l’année.", "365 jours"},
}

// Term writes a duration: "31 jours".
func Term(t mandate.Term) string {
	for _, w := range Terms {
		if w.Key == t {
			return w.Days
		}
	}
	return string(t)
}

// PostureWords are a posture as the helper chooses it.
type PostureWords struct {
	Key          mediation.Posture
	Title, About string
}

// Postures are the three ways to stand beside a person.
var Postures = []PostureWords{
	{mediation.PostureTrain, "Je forme", "La personne apprend à faire elle-même. Elle tient la souris, je montre et j’explique."},
	{mediation.PostureAccompany, "J’accompagne", "La personne fait sa démarche, je suis à côté d’elle. Elle garde la main, je l’aide quand elle bloque."},
	{mediation.PostureDo, "Je fais", "La personne ne peut pas faire seule. Je fais à sa place, avec un mandat qu’elle signe et qu’elle peut arrêter."},
}

// Posture writes a posture's title.
func Posture(p mediation.Posture) string {
	for _, w := range Postures {
		if w.Key == p {
			return w.Title
		}
	}
	return string(p)
}

// State writes a mandate's state in two or three words, for badges.
func State(s mandate.State) string {
	switch s {
	case mandate.StateAwaitingPaper:
		return "à faire signer"
	case mandate.StateActive:
		return "mandat actif"
	case mandate.StatePartly:
		return "arrêté en partie"
	case mandate.StateStopped:
		return "mandat arrêté"
	case mandate.StateDone:
		return "terminé"
	case mandate.StateExpired:
		return "fini"
	case mandate.StateUnusable:
		return "inutilisable"
	}
	return string(s)
}

// States are the states a list may be narrowed to, in the order shown.
var States = []mandate.State{
	mandate.StateActive, mandate.StateAwaitingPaper, mandate.StatePartly,
	mandate.StateStopped, mandate.StateExpired,
}

// ReasonWords are a coarse reason as the helper chooses it.
type ReasonWords struct {
	Key          record.Reason
	Value, Title string
}

// Reasons are why a mandate is stopped.
var Reasons = []ReasonWords{
	{record.ReasonPerson, "person", "La personne le demande"},
	{record.ReasonDone, "done", "C’est fait, le mandat ne sert plus"},
	{record.ReasonStructure, "structure", "La structure ne peut plus l’assurer"},
	{record.ReasonSuperseded, "superseded", "Un nouveau mandat le remplace"},
	{record.ReasonOther, "other", "Autre raison"},
}

// Reason writes a coarse reason within a sentence.
func Reason(r record.Reason) string {
	switch r {
	case record.ReasonPerson:
		return "à la demande de la personne"
	case record.ReasonDone:
		return "parce que la démarche est faite"
	case record.ReasonStructure:
		return "par la structure"
	case record.ReasonSuperseded:
		return "remplacé par un nouveau mandat"
	}
	return "pour une autre raison"
}

// EvidenceWords are how the helper knows who the person is.
type EvidenceWords struct {
	Key          mandate.Evidence
	Title, About string
}

// Evidences are the three levels, strongest first.
var Evidences = []EvidenceWords{
	{mandate.EvidenceDocument, "J’ai vu une pièce d’identité", "On ne la copie pas, on ne note pas son numéro."},
	{mandate.EvidenceKnown, "Je la connais, ou un collègue la connaît", "Elle vient régulièrement ici."},
	{mandate.EvidenceDeclared, "Elle le dit, sans document", "Certains services demanderont plus."},
}

// Evidence writes a level for recaps and papers.
func Evidence(e mandate.Evidence) string {
	switch e {
	case mandate.EvidenceDocument:
		return "pièce d’identité vue"
	case mandate.EvidenceKnown:
		return "personne connue de la structure"
	case mandate.EvidenceDeclared:
		return "sur sa parole"
	}
	return string(e)
}

// ChannelWords are how an act was done.
type ChannelWords struct {
	Key   mandate.ActChannel
	Title string
}

// Channels are the five ways.
var Channels = []ChannelWords{
	{mandate.ActOnline, "En ligne"},
	{mandate.ActPhone, "Par téléphone"},
	{mandate.ActPaper, "Sur papier"},
	{mandate.ActEmail, "Par e-mail"},
	{mandate.ActDesk, "Au guichet d’un autre organisme"},
}

// ActChannel writes how an act was done.
func ActChannel(c mandate.ActChannel) string {
	for _, w := range Channels {
		if w.Key == c {
			return w.Title
		}
	}
	return string(c)
}

// Of writes "de" before a site's name as French does: "de Valbrume", "du bus",
// "d’Ajaccio".
func Of(site string) string {
	lower := strings.ToLower(site)
	switch {
	case strings.HasPrefix(lower, "le "):
		return "du " + site[3:]
	case strings.HasPrefix(lower, "les "):
		return "des " + site[4:]
	case strings.HasPrefix(lower, "la "), strings.HasPrefix(lower, "l’"):
		return "de " + site
	}
	if first, _ := utf8.DecodeRuneInString(lower); strings.ContainsRune("aeiouyhâàéèêîôû", first) {
		return "d’" + site
	}
	return "de " + site
}
