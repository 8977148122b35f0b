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

// Template implements Page.
func (*ActNew) Template() string { return "act_new" }
