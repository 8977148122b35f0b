package node

import (
	"context"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// NewAccompaniment opens a visit. ID comes from the form, so that a double
// submit is one visit.
type NewAccompaniment struct {
	ID      mediation.AccompanimentID
	Posture mediation.Posture
	Theme   string // a scope key or ""
}

// AccompanimentView is a visit as the desk shows it.
type AccompanimentView struct {
	mediation.Accompaniment
	HelperName string
	Person     *people.Beneficiary // nil without a name
	Mandate    mandate.ID          // zero: none yet
	State      mandate.State       // of that mandate
	HasDraft   bool
}

// OpenAccompaniment opens a visit, or returns the one already opened with this ID.
func (n *Node) OpenAccompaniment(ctx context.Context, by Actor, a NewAccompaniment) (AccompanimentView, error) {
	panic("stub")
}

// Accompaniment returns one visit of the actor's structure.
func (n *Node) Accompaniment(ctx context.Context, by Actor, id mediation.AccompanimentID) (AccompanimentView, error) {
	panic("stub")
}

// Today lists the visits of the actor's structure opened since local midnight
// and those still open, newest first, at most limit.
func (n *Node) Today(ctx context.Context, by Actor, limit int) ([]AccompanimentView, error) {
	panic("stub")
}

// CloseAccompaniment ends a visit. Ending it twice is no error.
func (n *Node) CloseAccompaniment(ctx context.Context, by Actor, id mediation.AccompanimentID) error {
	panic("stub")
}
