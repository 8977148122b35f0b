// Package mediation holds what happens in the room around mandates: pure values.
package mediation

import (
	"time"

	"relais/node/id"
	"relais/node/people"
	"relais/node/territory"
)

type accompanimentKind struct{}

func (accompanimentKind) Prefix() string { return "v" }

// AccompanimentID names a visit.
type AccompanimentID = id.ID[accompanimentKind]

// Posture is how the helper stands beside the person.
type Posture string

// The postures. Only PostureDo may lead to a mandate.
const (
	PostureTrain     Posture = "forme"      // je forme
	PostureAccompany Posture = "accompagne" // j'accompagne
	PostureDo        Posture = "fais"       // je fais
)

// Accompaniment is a visit (accompagnement).
type Accompaniment struct {
	ID        AccompanimentID
	Structure territory.StructureID
	Helper    people.HelperID
	Posture   Posture
	Theme     string // a scope key, or "" when it is none of them
	OpenedAt  time.Time
	ClosedAt  time.Time // zero while open
	// Beneficiary is zero for a visit without a name.
	Beneficiary people.BeneficiaryID
}
