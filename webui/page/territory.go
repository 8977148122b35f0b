package page

import (
	"relais/node"
	"relais/node/territory"
)

// Territory is /bureau/territoire.
type Territory struct {
	Base
	View         node.TerritoryView
	Pass         node.NationalPass
	HasPass      bool
	SoftwareHubs []territory.Hub
	// Own is the helper's structure, with what was decided nationally of it.
	Own          territory.Structure
	Habilitation node.HabilitationView
}

// Template implements Page.
func (*Territory) Template() string { return "territory" }
