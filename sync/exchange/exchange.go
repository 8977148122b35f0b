// Package exchange moves what a hub lacks: rosters, records and dossiers, over
// HTTP/2 on the link, between hubs and between a hub and the national service.
//
// The contract, all of it under /relais/v1:
//
//	GET  /vector           what the server knows
//	GET  /roster           its signed roster
//	GET  /roster/turns     the first roster of each root above the version ?after=
//	POST /records/missing  a vector in; a page of records out that the sender lacks
//	POST /records          a page of records in; what they did, out
//	GET  /dossiers/{id}    a sealed dossier, for hubs that serve its structure
//	POST /dossiers/forget  mandates to forget in, from the hub that made them; those forgotten, out
//
// Every answer carries the server's roster version. Nothing is a session: a
// client that was cut sends its new vector and receives exactly what it still
// lacks. A page is bounded in octets, and so is every other body.
//
// The trap: what arrives here proves only which hub handed it over. Records are
// believed because Apply verifies each of them, dossiers because PutDossier
// checks them against their notice, rosters because InstallRoster checks the
// root's signature.
package exchange

import (
	"context"
	"time"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
)

// The paths of the contract.
const (
	pathVector   = "/relais/v1/vector"
	pathRoster   = "/relais/v1/roster"
	pathTurns    = "/relais/v1/roster/turns"
	pathMissing  = "/relais/v1/records/missing"
	pathRecords  = "/relais/v1/records"
	pathDossiers = "/relais/v1/dossiers/"
	pathForget   = "/relais/v1/dossiers/forget"
)

// The media types of the contract. Others are refused, not guessed.
const (
	typeVector  = "application/vnd.relais.vector"
	typeRoster  = "application/vnd.relais.roster"
	typeRosters = "application/vnd.relais.rosters"
	typeRecords = "application/vnd.relais.records"
	typeDossier = "application/vnd.relais.dossier"
	typeForget  = "application/vnd.relais.mandates" // identifiers of 16 octets, one after the other
	typeJSON    = "application/json"
	typeProblem = "application/problem+json"
)

// The headers of the contract.
const (
	headerRoster = "Relais-Roster" // the version of the server's roster, decimal
	headerMore   = "Relais-More"   // "true" when the page is not all that is missing
)

// The limits on foreign bytes, in octets.
const (
	maxPageOctets    = 256 << 10 // about a thousand records
	maxVectorOctets  = record.MaxVectorOctets
	maxRosterOctets  = 1 << 20
	maxTurnsOctets   = 4 << 20
	maxDossierOctets = 1 << 20
	maxForgetOctets  = 16 * node.MaxForgets
	maxProblemOctets = 4 << 10
)

// Records is the part of a node that compares and takes records. *node.Node
// satisfies it, and so does the national service.
type Records interface {
	Vector(ctx context.Context) (record.Vector, error)
	Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error)
	Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error)
}

// Rosters is the part of a node that keeps the roster.
type Rosters interface {
	Roster() *territory.Roster
	RosterNote() []byte
	// RosterTurns are the first roster of each root, above a version, the oldest
	// first.
	RosterTurns(ctx context.Context, after uint32) ([][]byte, error)
	InstallRoster(ctx context.Context, note []byte) error
}

// Dossiers is the part of a node that keeps sealed dossiers, until they are to be
// forgotten. The national
// service has none.
type Dossiers interface {
	WantedDossiers(ctx context.Context, limit int) ([]node.WantedDossier, error)
	Dossier(ctx context.Context, id record.MandateID, asker territory.HubID) ([]byte, error)
	PutDossier(ctx context.Context, id record.MandateID, sealed []byte) error

	// AwaitedForgets are what other hubs are still to forget, TakeForget forgets
	// what another hub made and returns what is forgotten, and ForgetConfirmed
	// notes that another did.
	AwaitedForgets(ctx context.Context) ([]node.AwaitedForget, error)
	TakeForget(ctx context.Context, ids []record.MandateID, from territory.HubID) (done []record.MandateID, err error)
	ForgetConfirmed(ctx context.Context, hub territory.HubID, ids []record.MandateID) error
}

// Local is all of a hub that the client needs; *node.Node satisfies it.
type Local interface {
	Records
	Rosters
	Dossiers
	// PeerCompared notes that we have everything the peer knew at the instant.
	PeerCompared(peer territory.HubID, at time.Time)
}
