// Package enrolment is how a machine that no roster lists yet asks for its place
// in a territory: over the join side of the link (link.ALPNJoin), with a code
// that somebody of the territory made.
//
//	GET  /relais/v1/territory  the root's key, the roster, the turns, for anybody
//	POST /relais/v1/join       secret and request; the answer says what became of it
//
// # What proves what
//
// The newcomer knows nobody. The code gives the fingerprint of the territory's
// root: by it the root's key is recognised, or that of the root which followed it
// since, turn by turn (turns.go); by the key the roster, by the roster the hub
// that answers, which must be the one that made the code. Only then, on a
// connection verified as any between hubs, does the secret leave. In the other
// direction the secret says that somebody was invited, the connection that the
// caller holds the identity it asks for, and the fingerprint, read aloud, that
// this is the machine which is meant.
//
// # The trap
//
// A code made before a machine went back in time, or relayed by somebody, leads
// to an older roster, in which an expelled hub may still be one: the code carries
// the version below which nothing is believed.
package enrolment

import (
	"context"
	"errors"

	"relais/node"
	"relais/node/territory"
)

// The paths of the join side.
const (
	pathTerritory = "/relais/v1/territory"
	pathJoin      = "/relais/v1/join"
)

const (
	typeJSON = "application/json"

	maxAskOctets = 24 << 10
	// maxAnswerOctets holds a roster and the turns, escaped as JSON.
	maxAnswerOctets = 2 * (maxTurnsOctets + 2*territory.MaxRosterOctets)
)

// Host is the hub that invites. It is an interface so that the protocol is
// tested without one; *node.Node satisfies it.
type Host interface {
	RootKey() string
	RosterNote() []byte
	// RosterTurns are the first roster of each root, above a version, the oldest
	// first.
	RosterTurns(ctx context.Context, after uint32) ([][]byte, error)
	TakeRequest(ctx context.Context, secret territory.InviteSecret, request []byte) (node.Enrolled, error)
}

// welcome is the answer to anybody.
type welcome struct {
	Root   string `json:"root"`
	Roster string `json:"roster"`
	// Turns are the first roster of each root, the oldest first, where there was
	// more than one.
	Turns []string `json:"turns,omitempty"`
}

// ask is what the newcomer says.
type ask struct {
	Secret  []byte `json:"secret"`
	Request string `json:"request"` // as in hub.json
}

// told is what it hears.
type told struct {
	State       node.RequestState `json:"state"`
	Fingerprint string            `json:"fingerprint"`
	Roster      string            `json:"roster,omitempty"`
	Certificate []byte            `json:"certificate,omitempty"` // DER
}

// refusal is a fault on the wire.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"` // French, for the person
	Detail  string `json:"detail"`  // English, for the terminal
}

// Why a newcomer does not ask.
var (
	// ErrUnreachable means that no address of the code answers.
	ErrUnreachable = errors.New("no address of the invitation answers")
	// ErrOtherRoot means that who answers is of another territory than the code.
	ErrOtherRoot = errors.New("the territory that answers is not the one of the invitation")
	// ErrOtherRootHeld means that the hub which asks was made for another territory
	// than the one that answers.
	ErrOtherRootHeld = errors.New("the root this hub pinned is not of the territory that answers")
	// ErrOldRoster means that the roster offered is older than the invitation.
	ErrOldRoster = errors.New("the roster that is offered is older than the invitation")
)
