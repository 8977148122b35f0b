// Package people holds those who act and those who are helped: pure values and
// the policy that says who may do what.
package people

import "relais/node/territory"

// HelperID names a helper across the territory.
type HelperID = territory.HelperID

// Role is what a helper's account may do on this hub.
type Role string

// The roles.
const (
	RoleHelper        Role = "aidant"      // accompanies, draws up and uses mandates
	RoleReferent      Role = "referent"    // the same, and looks after the structure's helpers
	RoleAdministrator Role = "departement" // looks after the territory; no person, no mandate
)

// Helper is a professional who accompanies people (aidant professionnel).
type Helper struct {
	ID        HelperID
	Structure territory.StructureID
	Name      Name
	Role      Role
	Suspended bool
}

// Name is a person's name as she says it.
type Name struct {
	Given  string
	Family string
}

// Full returns given name then family name.
func (n Name) Full() string { return n.Given + " " + n.Family }

// Short returns the given name and the family initial: "Camille E.".
func (n Name) Short() string {
	for _, r := range n.Family {
		return n.Given + " " + string(r) + "."
	}
	return n.Given
}
