// Package record is the one thing hubs replicate: a small signed fact in its
// author's append-only log.
//
// A record is at most 255 octets on the wire and has exactly one accepted
// encoding, byte for byte. It says neither who nor what for. Its place is
// (hub, incarnation, seq); its chain hash covers label ‖ protected header ‖
// payload and never the signature, so two signatures of one payload are one
// record.
//
// The flow: a node makes a Record, Encode gives its payload, ChainHash its hash,
// and later Sign its wire form. On receipt Parse accepts exactly one encoding,
// and Verify checks the signature with the author's key; only then may a record
// be stored or relayed. What it may say is for Admit, and what records say
// together for Ledger, which the store follows step by step.
//
// The trap: ECDSA signatures are malleable and CBOR has many spellings. Whatever
// is not the one accepted form is not a record, so that two hubs never hold two
// forms of one fact. DESIGN.md gives the format to the octet.
//
// Everything here is pure: no clock, no storage, no network.
package record

import (
	"time"

	"relais/node/id"
	"relais/node/label"
	"relais/node/territory"
)

// MaxOctets is the largest record on the wire: its length fits in one octet.
const MaxOctets = 255

type mandateKind struct{}

func (mandateKind) Prefix() string { return "m" }

// MandateID names a mandate across the territory.
type MandateID = id.ID[mandateKind]

// Kind says what a record states. Numbers are never reused.
type Kind uint8

// The kinds. Others are stored and relayed, inert.
const (
	KindNotice     Kind = 1 // a mandate exists
	KindRevocation Kind = 2 // a mandate, or lines of it, is stopped
	KindClose      Kind = 3 // a structure's mandates end, by log cuts
	KindHelper     Kind = 4 // a helper is suspended or reinstated
	KindFloor      Kind = 5 // everything below is pruned
)

// MandateKind says under which regime a mandate stands.
type MandateKind uint8

// The regimes.
const (
	Local          MandateKind = 1 // hors Aidants Connect
	AidantsConnect MandateKind = 2 // the mirror of one made nationally
)

// Reason is why a mandate was stopped, as coarsely as it may travel.
type Reason uint8

// The coarse reasons. The precise one never leaves the sealed dossier.
const (
	ReasonPerson     Reason = 1
	ReasonStructure  Reason = 2
	ReasonDone       Reason = 3
	ReasonSuperseded Reason = 4
	ReasonOther      Reason = 5
)

// Channel is how a stop was asked for.
type Channel uint8

// The channels.
const (
	ChannelKiosk    Channel = 1 // the person, at a kiosk, with her code
	ChannelDesk     Channel = 2 // a helper, at a desk
	ChannelNational Channel = 3 // the national service
	ChannelSystem   Channel = 4 // the hub itself
)

// Hash is a full chain hash.
type Hash [32]byte

// LogID names one log: a hub opens a new incarnation when it cannot prove that
// it continues the last one.
type LogID struct {
	Hub         territory.HubID
	Incarnation uint16
}

// Place is where a record stands. Seq begins at 1.
type Place struct {
	LogID
	Seq uint32
}

// Record is the decoded payload of one record, with the author that its
// protected header names. Body is one of *Notice, *Revocation, *Close, *Helper,
// *Floor, or *Unknown.
type Record struct {
	Territory territory.Code
	Place
	// Prev is the first octets of the chain hash before. At seq 1 it is zero or,
	// in a later incarnation, of the last head its author knew: shown, not checked.
	Prev [16]byte
	// Time is the author's clock, cut to the millisecond, never earlier than the
	// record before it.
	Time time.Time
	Kind Kind
	Body Body
}

// Body is the part of a record that depends on its kind.
type Body interface{ kind() Kind }

// KindOf returns the kind of record that a body makes.
func KindOf(b Body) Kind { return b.kind() }

// Notice states that a mandate exists.
type Notice struct {
	Mandate    MandateID
	Structure  territory.StructureID
	Lines      uint8 // 1 to 32
	Start, End time.Time
	Regime     MandateKind
	// Stop is the commitment to the stop code.
	Stop Commitment
	// Dossier binds the sealed dossier: SHA-256(label ‖ dossier)[:16]. The
	// dossier holds its own random octets, so this says nothing by itself.
	Dossier [16]byte
	// Subject is the optional tag by which any desk may find a consenting
	// person's mandates; nil in all others.
	Subject *[16]byte
}

// Revocation states that a mandate is stopped.
type Revocation struct {
	Mandate MandateID
	Lines   uint32 // bit n-1 for line n; 0 stops all of it
	Reason  Reason
	Channel Channel
	Claimed time.Time // when the person says it ended: shown, never decisive
	Code    *StopCode // with ChannelKiosk; nil otherwise
}

// MaxCuts is the most cuts in one Close: more would not fit in 255 octets.
const MaxCuts = 12

// Close ends a structure's mandates: those whose notice stands at or below the
// cuts.
type Close struct {
	Structure territory.StructureID
	Cuts      []Position // 1 to MaxCuts, by index then incarnation, each log once
}

// Position is a place as the wire names it: the hub by its roster index, which
// is never used again.
type Position struct {
	Index       uint16
	Incarnation uint16
	Seq         uint32
}

// Helper suspends a helper, or lifts the suspension it names.
type Helper struct {
	Helper territory.HelperID
	Lifts  *Position // nil: suspends
}

// Floor states that every record of this log up to Seq is pruned.
type Floor struct {
	Seq  uint32
	Hash Hash
}

// Unknown is a body that this version cannot read, as it came: of a later kind,
// of a later payload version, or malformed by its author. It is stored and
// relayed like any other, and says nothing.
type Unknown struct {
	Of      Kind
	Version uint8  // of the payload
	Raw     []byte // one CBOR item in its only accepted spelling
}

func (*Notice) kind() Kind     { return KindNotice }
func (*Revocation) kind() Kind { return KindRevocation }
func (*Close) kind() Kind      { return KindClose }
func (*Helper) kind() Kind     { return KindHelper }
func (*Floor) kind() Kind      { return KindFloor }
func (u *Unknown) kind() Kind  { return u.Of }

// DossierDigest is how a notice names the dossier it goes with:
// SHA-256(label ‖ dossier)[:16].
func DossierDigest(dossier []byte) [16]byte {
	sum := label.Dossier.Sum(dossier)
	return [16]byte(sum[:16])
}
