package node

import (
	"context"
	"time"

	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// Receipt is what a person takes away after a stop. It says nothing of who or
// what for.
type Receipt struct {
	Number string // of the receipt: the place of the revocation, shown form
	// Mandates were stopped: a code stops every match.
	Mandates []mandate.ID
	Place    string // the site's name
	At       time.Time
	// Already is true when it was stopped before: At and Place are then those.
	Already bool
	// Published is false until the revocation is signed.
	Published bool
}

// StopByCode stops, entirely, every mandate of the territory that the code
// commits to. from names the kiosk for growing delays: nobody is ever locked
// out. A wrong code is NotFound, a malformed one Invalid.
func (n *Node) StopByCode(ctx context.Context, code, from string) (Receipt, error) { panic("stub") }

// DeskStop is a stop asked for at a desk.
type DeskStop struct {
	Mandate mandate.ID
	Lines   []uint8 // empty: all
	Reason  record.Reason
	Claimed time.Time // zero: now
}

// StopAtDesk stops a mandate, or lines of it, at a desk.
func (n *Node) StopAtDesk(ctx context.Context, by Actor, s DeskStop) (Receipt, error) { panic("stub") }

// NoticeView is what this hub knows of any mandate of the territory, dossier or not.
type NoticeView struct {
	Mandate    mandate.ID
	Structure  territory.StructureID
	Origin     territory.HubID
	Start, End time.Time
	State      mandate.State
	Stops      []StopView
	OriginName string
	HasDossier bool
}

// Notice returns what is known of a mandate; NotFound when nothing is.
func (n *Node) Notice(ctx context.Context, id mandate.ID) (NoticeView, error) { panic("stub") }
