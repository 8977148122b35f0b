package node

import (
	"slices"
	"time"

	"relais/node/territory"
)

// clockMemory is how long what a peer's clock said is worth something.
const clockMemory = 15 * time.Minute

// clockDeviation is how far our clock was ahead of a peer's, when we last looked.
type clockDeviation struct {
	ahead time.Duration
	at    time.Time
}

// PeerClock notes how far this hub's clock is ahead of a peer's (behind:
// negative), as measured at the moment at. Cheap; kept in memory. A clock more
// than five minutes from the median of its peers' blocks grants.
func (n *Node) PeerClock(peer territory.HubID, ahead time.Duration, at time.Time) {
	n.publishing.noteClock(peer, ahead, at)
}

// aheadOf is how far our clock is ahead of one peer's; zero when it said nothing
// lately.
func (p *publishing) aheadOf(peer territory.HubID, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clocks[peer]; now.Sub(c.at).Abs() < clockMemory {
		return c.ahead
	}
	return 0
}

func (p *publishing) noteClock(peer territory.HubID, ahead time.Duration, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clocks[peer] = clockDeviation{ahead, at}
}

// said returns what the peers' clocks said lately.
func (p *publishing) said(now time.Time) (all []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clocks {
		if now.Sub(c.at).Abs() < clockMemory {
			all = append(all, c.ahead)
		}
	}
	return all
}

// clockAhead is the median of what the peers' clocks said lately, those left out
// that are wrong for certain: a hub that has compared with none but one whose
// battery is dead is not to stop granting for it.
func (n *Node) clockAhead(now time.Time) (median time.Duration, known bool) {
	all := n.publishing.said(now)
	hold, fail := n.dates(now)
	all = slices.DeleteFunc(all, func(ahead time.Duration) bool {
		beyond := ahead.Abs() > certified && hold > 0 && hold >= fail
		return beyond || now.Add(-ahead).Before(n.release)
	})
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}

// byPeers is a moment of this hub's clock by its peers', as far as they said theirs
// lately: what a roster dates, others compare with their own.
func (n *Node) byPeers(at time.Time) time.Time {
	ahead, _ := n.clockAhead(n.now())
	return at.Add(-ahead)
}

// certified is more than a link certificate's life: where one holds by our clock,
// that clock and its owner's are not further apart.
const certified = 8 * 24 * time.Hour

// outvoted tells whether this hub's clock is contradicted by the certificates of
// more hubs than bear it out, itself among these. Between two hubs that nobody
// else hears there is no telling.
func (n *Node) outvoted(now time.Time) bool {
	hold, fail := n.dates(now)
	return fail > hold+1
}

// dates counts the peers whose certificates' dates were looked at lately, and hold by
// our clock, and those whose do not. Who is heard through others only has shown none,
// as most have in a large territory.
func (n *Node) dates(now time.Time) (hold, fail int) {
	roster := n.Roster()
	if roster == nil {
		return 0, 0
	}
	for _, hub := range roster.Hubs {
		switch {
		case hub.State != territory.HubActive || hub.ID == n.self || !n.connected(hub.ID, now):
		case n.outOfDate(hub.ID, now):
			fail++
		case recent(n.fresh.of(hub.ID, now).dated, now):
			hold++
		}
	}
	return hold, fail
}

// outOfDate tells whether the dates of what a peer shows did not hold when they were
// last looked at.
func (n *Node) outOfDate(hub territory.HubID, now time.Time) bool {
	c := n.fresh.of(hub, now)
	return recent(c.undated, now) && !c.dated.After(c.undated)
}

func recent(at, now time.Time) bool { return !at.IsZero() && now.Sub(at) < recentContact }
