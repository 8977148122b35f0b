package node

import (
	"context"
	"time"

	"relais/node/territory"
)

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
