package mandate

import "time"

// StateOf says in one word where the mandate stands at the moment now, for lists
// and headings: the same facts and the same order as Usable, for the mandate as
// a whole. A hub without the dossier (Held false) never says it awaits a paper
// that it knows nothing of.
func StateOf(f Facts, now time.Time) State {
	switch f.standing(now, AllLines(f.Lines)).Why {
	case WhyUnknown, WhyConflict, WhyQuarantined, WhyNoSuchLine, WhyClock, WhyNotStarted:
		return StateUnusable
	case WhyStopped:
		return StateStopped
	case WhyDone:
		return StateDone
	case WhyExpired:
		return StateExpired
	}
	switch {
	case !f.Open || f.Held && f.OpenLines&AllLines(f.Lines)&^f.Stopped == 0:
		return StateUnusable
	case f.Held && !f.PaperReady:
		return StateAwaitingPaper
	case f.Stopped&AllLines(f.Lines) != 0:
		return StatePartly
	}
	return StateActive
}

// Label is the state as screens say it, in French.
func (s State) Label() string {
	switch s {
	case StateAwaitingPaper:
		return "En attente de signature"
	case StateActive:
		return "En cours"
	case StatePartly:
		return "En cours, en partie arrêté"
	case StateStopped:
		return "Arrêté"
	case StateDone:
		return "Terminé"
	case StateExpired:
		return "Expiré"
	case StateUnusable:
		return "Inutilisable"
	}
	return ""
}
