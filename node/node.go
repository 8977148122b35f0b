package node

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"time"

	"relais/node/territory"
)

// Options are what a node needs from outside. Dir, Sealer, Signer are required.
type Options struct {
	Dir    string // the data folder
	Sealer Sealer
	// Signer is the hub's P-256 identity key. It may be slow or fail: records
	// are then published late.
	Signer crypto.Signer
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards
	// Release is when this binary was made: a clock behind it blocks grants.
	Release time.Time
}

// Birth is what a hub is told when its folder is made.
type Birth struct {
	Territory territory.Code
	// RootKey is the territory's root as a note verifier key ("name+hash+key").
	RootKey string
	Name    string // the site's: "Valbrume"
}

// PublicKeys are what the roster must say of this hub.
type PublicKeys struct {
	Hub       territory.HubID
	Identity  []byte // DER SubjectPublicKeyInfo
	Witness   []byte // Ed25519, 32 octets
	Recipient string // age1…
}

// Node is one hub.
type Node struct{}

// ErrNoFolder means that Dir holds no hub yet.
var ErrNoFolder = errors.New("the data folder holds no hub; make one with relais init")

// Create makes the data folder of a new hub: database, witness key, age
// identity, first incarnation. It refuses a folder that already holds one.
func Create(ctx context.Context, o Options, b Birth) (PublicKeys, error) { panic("stub") }

// Open opens the folder. It fails when another process holds it, when the
// schema is newer than the binary, or when the database does not sync fully.
func Open(ctx context.Context, o Options) (*Node, error) { panic("stub") }

// Run signs and publishes until ctx ends.
func (n *Node) Run(ctx context.Context) error { panic("stub") }

// Close releases the folder.
func (n *Node) Close() error { panic("stub") }

// Self is this hub's identifier.
func (n *Node) Self() territory.HubID { panic("stub") }

// Name is the site's name, before and after any roster.
func (n *Node) Name() string { panic("stub") }

// Keys are this hub's public keys.
func (n *Node) Keys() PublicKeys { panic("stub") }

// Roster is the current roster, or nil before the first. Never modified.
func (n *Node) Roster() *territory.Roster { panic("stub") }

// RosterNote is the current roster as signed, for other hubs; nil before the first.
func (n *Node) RosterNote() []byte { panic("stub") }

// InstallRoster takes a newer signed roster, durably. An older or equal one
// that matches is no error; a forged one, or one of another territory, is.
func (n *Node) InstallRoster(ctx context.Context, note []byte) error { panic("stub") }

// OnRoster calls f after each new roster. For wiring, before Run.
func (n *Node) OnRoster(f func(*territory.Roster)) { panic("stub") }
