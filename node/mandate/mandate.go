// Package mandate holds the legal instrument and its arithmetic: what a mandate
// allows, until when, what stops it, and whether a line may be used now.
//
// Everything here is a pure value. Nothing about a mandate's state is stored:
// it is computed from the facts, each time, by Usable.
package mandate

import (
	"time"

	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// ID names a mandate across the territory.
type ID = record.MandateID

// MaxLines is the most lines a mandate may have: a bit each in a revocation.
const MaxLines = 32

// Mandate is the whole instrument, as the hubs that serve its structure know it.
type Mandate struct {
	ID           ID
	Regime       record.MandateKind
	Structure    territory.StructureID
	Helper       people.HelperID // who drew it up; any authorised helper of the structure may act
	HelperName   string
	Beneficiary  people.Beneficiary
	Declarations Declarations
	Evidence     Evidence
	Lines        []Line // numbered from 1, in order
	Term         Term
	Start, End   time.Time
	// EndedAt is when it was done with before End, zero while it runs.
	EndedAt time.Time
	Paper   Paper
	// Text is SHA-256 of the text that was presented and printed.
	Text [32]byte
}

// IsMirror tells whether the mandate was made in Aidants Connect and is only
// mirrored here.
func (m Mandate) IsMirror() bool { return m.Regime == record.AidantsConnect }

// Line is one service and the acts the structure may do there.
type Line struct {
	Number  uint8 // from 1
	Scope   Scope
	Service string   // "impots.gouv.fr"
	Acts    []string // "consulter l’avis d’impôt"
}

// Declarations are the three questions asked before any mandate. All must be
// answered yes by the person.
type Declarations struct {
	Adult       bool // majeure ou mineure émancipée
	Unprotected bool // ni sauvegarde de justice, ni curatelle, ni tutelle
	Willing     bool // a compris ce que permet le mandat et le demande librement
}

// Evidence is how the helper knows who the person is.
type Evidence string

// The evidence levels, strongest first.
const (
	EvidenceDocument Evidence = "document" // an identity document was seen
	EvidenceKnown    Evidence = "known"    // known to the helper or to a colleague
	EvidenceDeclared Evidence = "declared" // her word alone
)

// Paper is where the signed copies stand. The first act waits for Signed and
// Handed.
type Paper struct {
	PrintedAt time.Time
	SignedAt  time.Time // both copies signed
	HandedAt  time.Time // one handed to the person
}

// Complete tells whether acts may begin.
func (p Paper) Complete() bool { return !p.SignedAt.IsZero() && !p.HandedAt.IsZero() }

// State is a mandate's state in one word, for lists. It is computed.
type State string

// The states.
const (
	StateAwaitingPaper State = "awaiting_paper" // usable once the signed copy is here
	StateActive        State = "active"
	StatePartly        State = "partly" // some lines stopped
	StateStopped       State = "stopped"
	StateDone          State = "done"
	StateExpired       State = "expired"
	StateUnusable      State = "unusable" // structure, conflict or quarantine
)
