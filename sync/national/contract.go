package national

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// OpenAPI is the contract as an OpenAPI 3.1 document. A test of each side keeps
// it true.
//
//go:embed openapi.yaml
var OpenAPI []byte

// The paths of the contract beyond those of sync/exchange, which it contains.
const (
	PathRoster        = "/relais/v1/roster"
	PathAddCheckpoint = "/relais/v1/add-checkpoint"
	PathCounts        = "/relais/v1/counts"
	PathStructures    = "/relais/v1/structures"
)

// HeaderCounts says, in a request for the counts, what the hub holds, so that
// the service knows of a drift too. A hub may leave it out.
const HeaderCounts = "Relais-Counts"

// The media types of those paths.
const (
	TypeRoster     = "application/vnd.relais.roster"
	TypeCounts     = "application/json"
	TypeStructures = "application/json"
	// A checkpoint and what is said of it are C2SP's, tlog-witness, which names a
	// type for the size alone.
	TypeSubmission   = "application/vnd.relais.submission"
	TypeCosignatures = "text/plain"
	TypeSize         = "text/x.tlog.size"
)

// The limits on foreign bytes, in octets.
const (
	MaxRosterOctets       = 1 << 20
	MaxSubmissionOctets   = 8 << 10
	maxCosignaturesOctets = 4 << 10
	maxCountsOctets       = 4 << 10
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
	// Structures are in the service's list, and StructuresHead is the cursor at its
	// end: who has it has all. "" for a service without a list.
	Structures     int    `json:"structures"`
	StructuresHead string `json:"structures_head,omitempty"`
}

// Held is what a hub says in HeaderCounts: its records, counted alike, and what it
// has of the service's list.
type Held struct {
	Records     int
	Notices     int
	Revocations int
	Structures  int
	Aside       int // items of the list that it cannot read
}

// heldForm is the form of HeaderCounts, both ways.
const heldForm = "records=%d, notices=%d, revocations=%d, structures=%d, aside=%d"

// Header is the value of HeaderCounts.
func (h Held) Header() string {
	return fmt.Sprintf(heldForm, h.Records, h.Notices, h.Revocations, h.Structures, h.Aside)
}

// ParseHeld reads the value of HeaderCounts, in exactly its form.
func ParseHeld(s string) (Held, error) {
	var h Held
	_, err := fmt.Sscanf(s, heldForm, &h.Records, &h.Notices, &h.Revocations, &h.Structures, &h.Aside)
	if err != nil || h.Header() != s || min(h.Records, h.Notices, h.Revocations, h.Structures, h.Aside) < 0 {
		return Held{}, fmt.Errorf("%s: not the counts of a hub", HeaderCounts)
	}
	return h, nil
}

// Drift is how many records one side counts and the other does not.
func Drift(h Held, c Counts) int {
	kinds := distance(h.Notices, c.Notices) + distance(h.Revocations, c.Revocations)
	return max(distance(h.Records, c.Records), kinds)
}

func distance(a, b int) int { return max(a-b, b-a) }

// Operations reads the operations that OpenAPI names, "METHOD /path", sorted. It
// reads the layout of this one document, not YAML at large.
func Operations() ([]string, error) {
	_, paths, found := strings.Cut(string(OpenAPI), "\npaths:\n")
	if !found {
		return nil, errors.New("openapi.yaml: no paths")
	}
	var operations []string
	var path string
	for line := range strings.Lines(paths) {
		name, isKey := strings.CutSuffix(strings.TrimRight(line, "\n"), ":")
		switch indent := len(name) - len(strings.TrimLeft(name, " ")); {
		case indent == 0:
			slices.Sort(operations)
			return operations, nil
		case isKey && indent == 2:
			path = strings.TrimSpace(name)
		case isKey && indent == 4:
			operations = append(operations, strings.ToUpper(strings.TrimSpace(name))+" "+path)
		}
	}
	return nil, errors.New("openapi.yaml: nothing after paths")
}
