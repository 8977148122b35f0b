package mandate

import "slices"

var evidences = []Evidence{EvidenceDocument, EvidenceKnown, EvidenceDeclared}

// Evidences are the three levels, strongest first.
func Evidences() []Evidence { return slices.Clone(evidences) }

// Valid tells whether e is one of the three.
func (e Evidence) Valid() bool { return slices.Contains(evidences, e) }

// Label is the level as forms and paper say it, in French.
func (e Evidence) Label() string {
	switch e {
	case EvidenceDocument:
		return "Pièce d’identité vue"
	case EvidenceKnown:
		return "Personne connue de l’aidant ou d’un collègue"
	case EvidenceDeclared:
		return "Identité déclarée par la personne"
	}
	return ""
}

// Complete tells whether the person answered yes to the three questions.
func (d Declarations) Complete() bool { return d.Adult && d.Unprotected && d.Willing }
