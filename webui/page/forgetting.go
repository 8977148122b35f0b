package page

import (
	"time"

	"relais/node"
	"relais/node/mandate"
)

// ForgetNew asks to confirm that a person is forgotten.
type ForgetNew struct {
	Base
	Mandate  mandate.ID // by which one came here
	File     node.PersonFile
	Typed    string // her name, as typed
	NextCode time.Duration
}

// Template implements Page.
func (*ForgetNew) Template() string { return "forget_new" }

// ForgettingShow says what became of a decision to forget somebody.
type ForgettingShow struct {
	Base
	Forgetting node.Forgetting
}

// Template implements Page.
func (*ForgettingShow) Template() string { return "forgetting_show" }

// Forgettings is the list of them.
type Forgettings struct {
	Base
	List []node.Forgetting
}

// Template implements Page.
func (*Forgettings) Template() string { return "forgettings" }
