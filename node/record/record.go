// Package record is the one thing hubs replicate: a small signed fact in its
// author's append-only log.
//
// A record is at most 255 octets on the wire and has exactly one accepted
// encoding, byte for byte. It says neither who nor what for. Its place is
// (hub, incarnation, seq); its chain hash covers label ‖ protected header ‖
// payload and never the signature, so two signatures of one payload are one
// record.
//
// Everything here is pure: no clock, no storage, no network.
package record

import (
	"time"

	"relais/node/id"
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
	Prev [16]byte // first octets of the chain hash before; zero at seq 1
	// Time is the author's clock, cut to the millisecond, never earlier than the
	// record before it.
	Time time.Time
	Kind Kind
	Body Body
}

// Body is the part of a record that depends on its kind.
type Body interface{ kind() Kind }

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

// Close ends a structure's mandates: those whose notice stands at or below the
// cuts. At most 12 cuts a record.
type Close struct {
	Structure territory.StructureID
	Cuts      []CloseCut
}

// CloseCut is a position in one log, by roster index.
type CloseCut struct {
	Index       uint16
	Incarnation uint16
	Seq         uint32
}

// Helper suspends a helper, or lifts the suspension it names.
type Helper struct {
	Helper territory.HelperID
	Lifts  *Place // nil: suspends; the log's hub is named by its index on the wire
}

// Floor states that every record of this log up to Seq is pruned.
type Floor struct {
	Seq  uint32
	Hash Hash
}

// Unknown is the body of a kind that this version does not know, as it came.
type Unknown struct {
	Of  Kind
	Raw []byte
}

func (*Notice) kind() Kind     { return KindNotice }
func (*Revocation) kind() Kind { return KindRevocation }
func (*Close) kind() Kind      { return KindClose }
func (*Helper) kind() Kind     { return KindHelper }
func (*Floor) kind() Kind      { return KindFloor }
func (u *Unknown) kind() Kind  { return u.Of }

// Vector is what a hub knows: per log, the highest contiguous signed record and
// its chain hash. On the wire: roster version u32, fresh salt 16, then 16 octets
// an entry (index u16, incarnation u16, seq u32, SHA-256(salt ‖ hash)[:8]).
type Vector struct {
	RosterVersion uint32
	Salt          [16]byte
	Entries       []VectorEntry // by index, then incarnation
}

// VectorEntry is one log in a vector.
type VectorEntry struct {
	Index       uint16
	Incarnation uint16
	Seq         uint32
	Head        [8]byte // salted
}
