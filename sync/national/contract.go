package national

import (
	_ "embed"
)

// OpenAPI is the contract as an OpenAPI 3.1 document. A test of each side keeps
// it true.
//
//go:embed openapi.yaml
var OpenAPI []byte

// The paths of the contract beyond those of sync/exchange, which it contains.
const (
	PathRoster     = "/relais/v1/roster"
	PathCheckpoint = "/relais/v1/checkpoint"
	PathCounts     = "/relais/v1/counts"
)

// The media types of those paths.
const (
	TypeRoster     = "application/vnd.relais.roster"
	TypeCheckpoint = "application/vnd.relais.checkpoint"
	TypeCounts     = "application/json"
)

// The limits on foreign bytes, in octets.
const (
	MaxRosterOctets     = 1 << 20
	MaxCheckpointOctets = 4 << 10
	maxCountsOctets     = 4 << 10
)

// Counts are what the service holds of the territory. The size of the answer
// does not grow with the records or the hubs.
type Counts struct {
	// Records, Notices and Revocations count those that the roster admits, the
	// ones held for want of a predecessor included.
	Records     int `json:"records"`
	Notices     int `json:"notices"`
	Revocations int `json:"revocations"`
	// Checkpoint is the size of the asking hub's journal at its last checkpoint
	// there; 0 for none.
	Checkpoint int64 `json:"checkpoint"`
}
