package page

import (
	"time"
)

// SignIn is /connexion.
type SignIn struct {
	Base
	Login string // as typed
	// NextCode is how long until the next code, shown after a refusal.
	NextCode time.Duration
	// FirstSteps is true while no account exists on this hub.
	FirstSteps bool
}

// Template implements Page.
func (*SignIn) Template() string { return "signin" }
