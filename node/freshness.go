package node

import (
	"context"
	"time"

	"relais/node/territory"
)

// recentContact is how long a hub counts as connected after its last word.
const recentContact = 90 * time.Second

// Freshness says how old this hub's information is.
type Freshness struct {
	// At is the last moment this hub compared what it knows with any other hub
	// or the national service; zero for never.
	At time.Time
	// Seen of Expected hubs, this one included, were heard within 90 s.
	Seen, Expected int
	National       time.Time // last successful pass; zero for never
}

// Freshness returns how old the information is.
func (n *Node) Freshness(ctx context.Context) (Freshness, error) { panic("stub") }

// PeerCompared notes that this hub and the peer compared what they know: after
// this, at is how fresh our information is. Cheap; kept across restarts.
func (n *Node) PeerCompared(peer territory.HubID, at time.Time) { panic("stub") }

// PeerHeard notes a sign of life.
func (n *Node) PeerHeard(peer territory.HubID, at time.Time) { panic("stub") }

// HubStatus is one hub on the page État du territoire.
type HubStatus struct {
	Hub       territory.Hub
	Self      bool
	Connected bool
	HeardAt   time.Time
	Compared  time.Time
	Records   uint32 // of its logs, known here
}

// TerritoryView is the page État du territoire.
type TerritoryView struct {
	Roster    *territory.Roster
	Hubs      []HubStatus
	Freshness Freshness
	Notices   int // known here
	Stops     int
	Dossiers  int
	Waiting   int // records made here and not yet signed
	Alarms    []Alarm
}

// Alarm is something a person should look at, with what to do.
type Alarm struct {
	Key     string // constant, for machines
	Message string // French, remedy included
	At      time.Time
}

// Territory returns the state of the territory as seen from here.
func (n *Node) Territory(ctx context.Context) (TerritoryView, error) { panic("stub") }
