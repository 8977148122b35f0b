package page

import (
	"relais/node"
	"relais/node/mandate"
	"relais/node/record"
)

// StopNew stops a mandate, or lines of it, at the desk.
type StopNew struct {
	Base
	Mandate mandate.ID
	State   mandate.State
	Stops   []node.StopView
	// Lines are known to the hubs that serve the structure only; elsewhere the
	// whole mandate is stopped.
	Lines  []mandate.Line
	Chosen []uint8
	Reason record.Reason
	// Foreign is true for a mandate of another structure: its name, and the
	// hub whose name goes with the stop.
	Foreign       bool
	StructureName string
}

// Picked tells whether a line is chosen.
func (p *StopNew) Picked(line uint8) bool {
	for _, l := range p.Chosen {
		if l == line {
			return true
		}
	}
	return false
}

// Template implements Page.
func (*StopNew) Template() string { return "stop_new" }
