package page

import "relais/node"

// Departement is /departement: the territory at a glance, and what waits.
type Departement struct {
	Base
	View        node.TerritoryView
	Requests    []node.Request
	Invitations []node.Invited
}

// Template implements Page.
func (*Departement) Template() string { return "departement" }

// SoftwareHubs counts the active hubs whose keys no chip guards.
func (p *Departement) SoftwareHubs() (n int) {
	for _, h := range p.View.Hubs {
		if h.Hub.State == "active" && h.Hub.Assurance == "software" {
			n++
		}
	}
	return n
}
