package node

import (
	"context"
	"time"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/record"
)

// Approval is the helper's word on one recap: her fresh TOTP code and the hash
// of what she read.
type Approval struct {
	Recap [32]byte
	Code  string
}

// Grant turns the draft of a visit into a mandate, in one transaction: rows,
// sealed dossier, journal entry, unsigned notice. Granting twice returns the
// mandate already made. Stale when the draft changed since the recap.
func (n *Node) Grant(ctx context.Context, by Actor, id mediation.AccompanimentID, a Approval) (mandate.ID, error) {
	panic("stub")
}

// MandateView is a mandate as a desk shows it.
type MandateView struct {
	mandate.Mandate
	StructureName string
	State         mandate.State
	// LineVerdicts answer, per line and for this actor, whether it may be used now.
	LineVerdicts []mandate.Verdict
	Stops        []StopView
	Acts         []ActView
	// OriginName is the hub that drew it up.
	OriginName string
	// Published is false until the notice is signed: "effectif ici, envoi en attente".
	Published bool
	// StopCode is shown on the person's copy; nil once the copy was handed over,
	// and on every other hub.
	StopCode *record.StopCode
	Version  int64
}

// StopView is a stop with the name of where it was done.
type StopView struct {
	mandate.Stop
	WhereName string
}

// ActView is an act with the name of who did it.
type ActView struct {
	mandate.Act
	HelperName string
}

// Mandate returns a mandate of the actor's structure whose dossier is here.
func (n *Node) Mandate(ctx context.Context, by Actor, id mandate.ID) (MandateView, error) {
	panic("stub")
}

// MandateFilter narrows a list.
type MandateFilter struct {
	State mandate.State // "" for all
	After mandate.ID    // zero for the first page; else the last row seen
	Limit int           // at most 100
}

// MandateRow is a line of a list.
type MandateRow struct {
	ID         mandate.ID
	PersonName string
	Services   []string
	Start, End time.Time
	State      mandate.State
	Stop       *StopView // the first, when stopped
	PaperDone  bool
}

// Mandates lists those of the actor's structure, newest first.
func (n *Node) Mandates(ctx context.Context, by Actor, f MandateFilter) ([]MandateRow, error) {
	panic("stub")
}

// MarkPrinted notes the first printing. Printing again is no error.
func (n *Node) MarkPrinted(ctx context.Context, by Actor, id mandate.ID) error { panic("stub") }

// ConfirmPaper notes that both copies are signed and one was handed over, and
// forgets the stop code. Both must be true.
func (n *Node) ConfirmPaper(ctx context.Context, by Actor, id mandate.ID, signed, handed bool) error {
	panic("stub")
}

// Usable answers whether the actor may use a line now.
func (n *Node) Usable(ctx context.Context, by Actor, id mandate.ID, line uint8) (mandate.Verdict, error) {
	panic("stub")
}
