package node

import (
	"context"

	"relais/node/mandate"
)

// NewAct is a démarche to be recorded. ID comes from the form.
type NewAct struct {
	ID      mandate.ActID
	Mandate mandate.ID
	Line    uint8
	Channel mandate.ActChannel
	Present bool
	SignsIn bool
	Pays    bool
	Note    string
}

// RecordAct records one use of a line. It is refused, with the date and place
// of the stop in the message, when the line may not be used; and when a local
// mandate would sign in to an account or pay in the person's absence. The
// journal entry keeps what this hub knew then (its vector). The same ID twice
// is one act.
func (n *Node) RecordAct(ctx context.Context, by Actor, a NewAct) (mandate.Act, error) { panic("stub") }
