package node

import (
	"context"

	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// Applied counts what a batch did.
type Applied struct {
	New     int // stored for the first time, held ones included
	Known   int // already here
	Refused int // bad signature, unknown or expelled author, wrong territory, not a record
	Held    int // out of order: of the new ones, those waiting for their predecessors
}

// Apply takes records from another hub or from the national service: verifies
// each, stores the good ones in one transaction with one journal entry, and
// tells subscribers of the new. A bad one never spoils the others. from is the
// peer that handed them over.
func (n *Node) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (Applied, error) {
	panic("stub")
}

// Vector is what this hub knows, with a fresh salt.
func (n *Node) Vector(ctx context.Context) (record.Vector, error) { panic("stub") }

// Missing returns signed records that the other lacks, in log order, at most
// maxOctets in all, and whether more remain.
func (n *Node) Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	panic("stub")
}

// Behind tells whether the other's vector holds something this hub lacks.
func (n *Node) Behind(ctx context.Context, theirs record.Vector) (bool, error) { panic("stub") }

// OnRecord calls f with each record that is new here and signed: made here, or
// applied from elsewhere (from is then not zero). f must not block. For wiring,
// before Run.
func (n *Node) OnRecord(f func(wire []byte, from territory.HubID)) { panic("stub") }

// WantedDossier is a dossier that this hub should hold and does not.
type WantedDossier struct {
	Mandate mandate.ID
	From    []territory.HubID // the author first, then the others that serve the structure
}

// WantedDossiers lists dossiers of structures this hub serves, at most limit.
func (n *Node) WantedDossiers(ctx context.Context, limit int) ([]WantedDossier, error) { panic("stub") }

// Dossier returns the sealed dossier for a hub that serves the structure;
// Forbidden for any other.
func (n *Node) Dossier(ctx context.Context, id mandate.ID, asker territory.HubID) ([]byte, error) {
	panic("stub")
}

// PutDossier opens a sealed dossier, checks it against its notice and keeps it.
func (n *Node) PutDossier(ctx context.Context, id mandate.ID, sealed []byte) error { panic("stub") }
