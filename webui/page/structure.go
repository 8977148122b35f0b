package page

import (
	"slices"

	"relais/node"
	"relais/node/territory"
)

// Structures is the list of a territory's structures.
type Structures struct {
	Base
	Signed
	Rows []StructureRow
}

// StructureRow is a structure, with the names of the hubs that serve it.
type StructureRow struct {
	territory.Structure
	Hubs []string
}

// Template implements Page.
func (*Structures) Template() string { return "structures" }

// StructureForm adds a structure, or changes one.
type StructureForm struct {
	Base
	Signed
	Edited territory.Structure // as typed; without identifier for a new one
	Hubs   []territory.Hub     // active ones: those that may serve it
	// Former are the names of expelled hubs that served it: they stay, for what
	// they said.
	Former []string
	// Habilitation is what was decided nationally of the listed structure: no right
	// here.
	Habilitation node.HabilitationView
	SIRET        string // of the listed structure
}

// Template implements Page.
func (*StructureForm) Template() string { return "structure_form" }

// New tells whether the form adds one.
func (p *StructureForm) New() bool { return p.Edited.ID.IsZero() }

// Verb is that of the command that does the same with the root's file.
func (p *StructureForm) Verb() string {
	if p.New() {
		return "add"
	}
	return "set"
}

// Allowed tells whether a démarche is ticked.
func (p *StructureForm) Allowed(scope string) bool { return slices.Contains(p.Edited.Scopes, scope) }

// Action is the address that the form is sent to.
func (p *StructureForm) Action() string {
	if p.New() {
		return "/departement/structures/nouvelle"
	}
	return "/departement/structures/" + p.Edited.ID.String()
}
