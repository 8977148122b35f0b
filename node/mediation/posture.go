package mediation

import "slices"

var postures = []Posture{PostureTrain, PostureAccompany, PostureDo}

// Postures are the three, from the one that leaves most to the person.
func Postures() []Posture { return slices.Clone(postures) }

// Valid tells whether p is one of the three.
func (p Posture) Valid() bool { return slices.Contains(postures, p) }

// Label is the posture as helpers say it.
func (p Posture) Label() string {
	switch p {
	case PostureTrain:
		return "Je forme"
	case PostureAccompany:
		return "J’accompagne"
	case PostureDo:
		return "Je fais"
	}
	return ""
}

// Description says what the posture means, in one sentence for the form.
func (p Posture) Description() string {
	switch p {
	case PostureTrain:
		return "La personne apprend à faire elle-même."
	case PostureAccompany:
		return "La personne fait elle-même, l’aidant est à ses côtés."
	case PostureDo:
		return "L’aidant fait à la place de la personne\u00a0: il faut un mandat."
	}
	return ""
}

// AllowsMandate tells whether a visit in this posture may lead to a mandate.
func (p Posture) AllowsMandate() bool { return p == PostureDo }

// Open tells whether the visit is still going on.
func (a Accompaniment) Open() bool { return a.ClosedAt.IsZero() }
