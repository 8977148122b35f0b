package node

import (
	"context"
	"time"

	"relais/node/people"
	"relais/node/territory"
)

// Actor is who is signed in.
type Actor struct {
	Helper    people.HelperID
	Structure territory.StructureID
	Role      people.Role
	Name      people.Name
}

// NewHelper is an account to open on this hub.
type NewHelper struct {
	ID        people.HelperID // zero: a new one
	Login     string          // 3 to 40 of a-z 0-9 . - _
	Name      people.Name
	Structure territory.StructureID
	Role      people.Role
	// Passphrase of at least 12 characters; empty: one is made of six words.
	Passphrase string
}

// Enrolment is shown once.
type Enrolment struct {
	Helper     people.HelperID
	Login      string
	Passphrase string
	// TOTP is the otpauth:// URI (RFC 6238: SHA-1, 30 s, 6 digits).
	TOTP string
}

// EnrolHelper opens an account. by is nil on the command line, where the
// machine's owner acts.
func (n *Node) EnrolHelper(ctx context.Context, by *Actor, h NewHelper) (Enrolment, error) {
	panic("stub")
}

// SignIn checks login, passphrase and TOTP code together and says nothing of
// which was wrong. from is the network address, for growing delays; a fault
// Limited says how long to wait. A code already used asks to wait for the next.
func (n *Node) SignIn(ctx context.Context, login, passphrase, code, from string) (Actor, error) {
	panic("stub")
}

// Actor returns the account as it stands now, for a session of before.
func (n *Node) Actor(ctx context.Context, id people.HelperID) (Actor, error) { panic("stub") }

// HasHelpers tells whether any account exists: false sends to the first steps.
func (n *Node) HasHelpers(ctx context.Context) (bool, error) { panic("stub") }

// NextCodeIn says after how long the next TOTP code begins.
func (n *Node) NextCodeIn(now time.Time) time.Duration { panic("stub") }
