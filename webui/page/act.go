package page

import (
	"relais/node"
	"relais/node/mandate"
)

// ActNew records a démarche.
type ActNew struct {
	Base
	Mandate       node.MandateView
	ID            mandate.ActID
	Line          uint8
	Channel       mandate.ActChannel
	Present       string // "oui", "non" or ""
	SignsIn, Pays bool
	Note          string
}

// Usable tells whether any line may be used now: else there is nothing to note.
func (p *ActNew) Usable() bool { return usable(p.Mandate.LineVerdicts) }

// Over tells whether the mandate has ended, whatever ended it: only another can
// follow.
func (p *ActNew) Over() bool { return !Stoppable(p.Mandate.State) }

// Template implements Page.
func (*ActNew) Template() string { return "act_new" }
