package page

import (
	"relais/node"
	"relais/node/territory"
)

// HubShow is one hub of the territory, for the département.
type HubShow struct {
	Base
	Hub node.HubView
}

// Template implements Page.
func (*HubShow) Template() string { return "hub_show" }

// Active tells whether it may still say something.
func (p *HubShow) Active() bool { return p.Hub.Hub.State == territory.HubActive }

// HubExpel asks to confirm that a hub is put out of the territory.
type HubExpel struct {
	Base
	Signed
	Hub   node.HubView
	Typed string // its name, as typed
}

// Template implements Page.
func (*HubExpel) Template() string { return "hub_expel" }
