package node

import (
	"context"
	"time"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// Draft is a mandate being drawn up in four steps. It is kept sealed, so that a
// session that ends loses nothing, and is gone once granted or after a day.
type Draft struct {
	Accompaniment mediation.AccompanimentID
	Version       int64 // of the row the form was filled on; 0 for a new one
	Person        people.Beneficiary
	Declarations  mandate.Declarations
	Evidence      mandate.Evidence
	Lines         []mandate.Line
	Term          mandate.Term
	UpdatedAt     time.Time
}

// Draft returns the draft of a visit in posture "je fais", empty if none yet.
func (n *Node) Draft(ctx context.Context, by Actor, id mediation.AccompanimentID) (Draft, error) {
	panic("stub")
}

// SaveDraft keeps what was filled so far, complete or not. Stale when the row
// moved on since d.Version.
func (n *Node) SaveDraft(ctx context.Context, by Actor, d Draft) (Draft, error) { panic("stub") }

// Recap is what the helper reads aloud and approves.
type Recap struct {
	Draft     Draft
	Structure string
	Helper    string
	// Until is the end if it were granted now; the grant's own instant decides.
	Until time.Time
	// Hash covers the text of the recap without Until: SHA-256.
	Hash [32]byte
}

// Recap checks that the draft is complete and may become a mandate. The fault
// names the field of the first thing missing: person, declarations, evidence,
// lines, term.
func (n *Node) Recap(ctx context.Context, by Actor, id mediation.AccompanimentID) (Recap, error) {
	panic("stub")
}
