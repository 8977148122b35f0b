package page

import (
	"slices"
	"strings"

	"relais/node"
	"relais/node/territory"
)

// RequestShow is a hub that asks for its place.
type RequestShow struct {
	Base
	Signed
	Request    node.Request
	Structures []territory.Structure // of the territory, but the closed ones
	// Replaces is the listed hub that it says it was; nil for none.
	Replaces *territory.Hub

	// What was typed.
	Typed   string // the fingerprint that the site read
	Replace bool
	Serves  []territory.StructureID
}

// Template implements Page.
func (*RequestShow) Template() string { return "request_show" }

// Groups are the four groups of its fingerprint.
func (p *RequestShow) Groups() []string { return strings.Fields(p.Request.Fingerprint) }

// Weak tells whether no chip guards its keys.
func (p *RequestShow) Weak() bool { return p.Request.Hub.Assurance != territory.AssuranceTPM }

// Closed tells whether the hub that it replaces was put out already: it stays
// closed where it was, and only its structures pass on.
func (p *RequestShow) Closed() bool {
	return p.Replaces != nil && p.Replaces.State == territory.HubExpelled
}

// Picked tells whether a structure is ticked.
func (p *RequestShow) Picked(s territory.StructureID) bool { return slices.Contains(p.Serves, s) }
