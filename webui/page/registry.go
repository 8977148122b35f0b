package page

import (
	"relais/node"
	"relais/node/territory"
)

// Registry is /departement/registre: the roster, its history, its renewal.
type Registry struct {
	Base
	Signed
	Roster  *territory.Roster
	Root    [16]byte // fingerprint of the key that signs
	History []node.Edition
	Days    string // that it is to hold, as typed
}

// Template implements Page.
func (*Registry) Template() string { return "registry" }

// RootRotate asks to confirm that another key signs from now on.
type RootRotate struct {
	Base
	Signed
	Root [16]byte
}

// Template implements Page.
func (*RootRotate) Template() string { return "root_rotate" }
