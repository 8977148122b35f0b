package node

import (
	"context"
	"slices"
	"time"

	"relais/node/beacon"
	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// HubStatus is one hub on the page État du territoire.
type HubStatus struct {
	Hub       territory.Hub
	Self      bool
	Connected bool
	Through   bool // connected, and another hub passes on what it says
	HeardAt   time.Time
	Compared  time.Time
	Records   uint32 // of its logs, known here
	Said      *Said  // nil: nothing lately, or this hub
}

// Said is what a hub says of itself, by its last beacon.
type Said struct {
	// Misses are the active hubs that it does not hear, by name, in the order of the
	// roster.
	Misses []string
	// Roster is the version that it holds.
	Roster uint32
	// Delay is how long the beacon was on its way.
	Delay time.Duration
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
	News      Propagation
	Seen      JournalSeen
	List      NationalList // of the national service's structures
	Alarms    []Alarm
}

// Territory returns the state of the territory as seen from here, of one moment.
func (n *Node) Territory(ctx context.Context) (TerritoryView, error) {
	v := TerritoryView{Roster: n.Roster()}
	var logs []store.Log
	var s symptoms
	err := n.db.Read(ctx, func(r *store.Reader) (err error) {
		if logs, err = r.Logs(); err != nil {
			return err
		}
		totals, err := r.TerritoryTotals()
		if err != nil {
			return err
		}
		v.Notices, v.Stops, v.Dossiers = totals.Notices, totals.Stops, totals.Dossiers
		if s.records, err = r.Troubles(); err != nil {
			return err
		}
		v.Waiting = s.records.Unsigned.Count
		if s.forks, err = r.Forks(); err != nil {
			return err
		}
		if s.counter, err = readContinuity(r); err != nil {
			return err
		}
		if s.desks, err = r.DeskCounts(n.now().Add(-foreignStopsPeriod)); err != nil {
			return err
		}
		if s.crowded, err = r.CrowdedAuthors(record.MaxLogs); err != nil {
			return err
		}
		if s.pass, s.passed, err = r.LastNationalPass(); err != nil {
			return err
		}
		if v.Seen, err = n.journalSeen(r); err != nil {
			return err
		}
		if v.List, err = nationalList(r); err != nil {
			return err
		}
		v.Freshness.National, err = r.LastNationalSuccess()
		return err
	})
	if err != nil {
		return TerritoryView{}, err
	}
	now := n.now()
	v.Freshness.At = n.fresh.latest(now)
	v.Freshness.Seen, v.Freshness.Expected = n.presence(now)
	v.News = n.Propagation()
	v.Hubs = n.hubStatuses(v.Roster, logs, now)
	v.Alarms = n.alarms(now, v, s)
	return v, nil
}

// hubStatuses says of each hub of the roster what was heard of it.
func (n *Node) hubStatuses(roster *territory.Roster, logs []store.Log, now time.Time) (list []HubStatus) {
	if roster == nil {
		return nil
	}
	known := make(map[territory.HubID]uint32)
	for _, l := range logs {
		known[l.Hub] += l.Head
	}
	every := beaconInterval(roster)
	for _, hub := range roster.Hubs {
		c := n.fresh.of(hub.ID, now)
		self := hub.ID == n.self
		connected := self || n.connected(hub.ID, now)
		list = append(list, HubStatus{
			Hub: hub, Self: self, Connected: connected, Through: connected && c.through,
			HeardAt: c.heard, Compared: c.compared, Records: known[hub.ID],
		})
		if b, heard := n.beacons.of(hub.ID, now, every); heard && hub.State == territory.HubActive {
			list[len(list)-1].Said = &Said{Misses: misses(roster, b.Beacon), Roster: b.Roster, Delay: b.delay}
		}
	}
	return list
}

// misses are the names of the hubs that another does not hear.
func misses(roster *territory.Roster, b beacon.Beacon) (names []string) {
	for _, hub := range roster.Hubs {
		if hub.State == territory.HubActive && hub.ID != b.Hub && !slices.Contains(b.Hears, hub.Index) && hub.Index <= beacon.MaxIndex {
			names = append(names, hub.Name)
		}
	}
	return names
}
