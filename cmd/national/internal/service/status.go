package service

import (
	"context"
	"time"

	"relais/cmd/national/internal/store"
	"relais/node/territory"
)

// Status is what the service can tell whoever looks after it: names and figures
// of machines, nothing of a person.
type Status struct {
	Territory   territory.Code `json:"territory"`
	Name        string         `json:"name"`
	Roster      uint32         `json:"roster"`
	Records     int            `json:"records"`
	Notices     int            `json:"notices"`
	Revocations int            `json:"revocations"`
	Forks       int            `json:"forks"`
	Refused     int            `json:"refused"`
	Structures  int            `json:"structures"` // of the list
	Imported    time.Time      `json:"imported,omitzero"`
	Hubs        []HubStatus    `json:"hubs"`

	zone *time.Location // the territory's
}

// HubStatus adds up the logs of one member of the roster.
type HubStatus struct {
	ID          territory.HubID    `json:"id"`
	Name        string             `json:"name"`
	State       territory.HubState `json:"state"`
	Records     int                `json:"records"`
	Notices     int                `json:"notices"`
	Revocations int                `json:"revocations"`
	Held        int                `json:"held"`
	Forked      bool               `json:"forked"`
	Checkpoint  int64              `json:"checkpoint"` // entries of its journal that were seen
	// Contradicted is when it last showed a journal that does not continue what was
	// seen; zero: never, or it was put right.
	Contradicted time.Time `json:"contradicted,omitzero"`
	Seen         time.Time `json:"seen,omitzero"`
	Compared     time.Time `json:"compared,omitzero"` // when it last said what it holds
	Drift        int       `json:"drift"`             // what did not agree then
	Listed       int       `json:"listed"`            // structures of the list that it had then
	Aside        int       `json:"aside"`             // and what it could not read of it
}

// ReadStatus reads the database, beside a running service or without one.
func ReadStatus(ctx context.Context, db *store.DB) (Status, error) {
	t, err := db.Territory(ctx)
	if err != nil {
		return Status{}, err
	}
	roster, err := territory.OpenRoster(t.Note, t.RootKey)
	if err != nil {
		return Status{}, err
	}
	counts, err := db.Counts(ctx)
	if err != nil {
		return Status{}, err
	}
	list, err := db.List(ctx)
	if err != nil {
		return Status{}, err
	}
	s := Status{
		Territory: t.Code, Name: roster.Name, Roster: t.Version,
		Records: counts.Records, Notices: counts.Notices, Revocations: counts.Revocations,
		Forks: counts.Forks, Refused: counts.Refused, zone: zoneOf(roster),
		Structures: list.There, Imported: list.Imported,
	}
	heads, err := db.Heads(ctx)
	if err != nil {
		return Status{}, err
	}
	for _, h := range roster.Hubs {
		hub := HubStatus{ID: h.ID, Name: h.Name, State: h.State}
		for _, head := range heads {
			hub.add(head)
		}
		if err := hub.read(ctx, db); err != nil {
			return Status{}, err
		}
		s.Hubs = append(s.Hubs, hub)
	}
	return s, nil
}

func zoneOf(r *territory.Roster) *time.Location {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC // said beside each time
	}
	return zone
}

func (h *HubStatus) add(head store.Head) {
	if head.Hub != h.ID {
		return
	}
	h.Records += head.Records
	h.Notices += head.Notices
	h.Revocations += head.Revocations
	h.Held += head.Held
	h.Forked = h.Forked || head.Forked
}

func (h *HubStatus) read(ctx context.Context, db *store.DB) (err error) {
	last, err := db.LastCheckpoint(ctx, h.ID)
	if err != nil {
		return err
	}
	against, err := db.Contradiction(ctx, h.ID)
	if err != nil {
		return err
	}
	h.Checkpoint, h.Contradicted = last.Size, against.Last
	s, err := db.Sighting(ctx, h.ID)
	h.Seen, h.Compared, h.Drift, h.Listed, h.Aside = s.Seen, s.Compared, s.Drift, s.Structures, s.Aside
	return err
}
