package link

import (
	"time"

	"relais/node/territory"
)

// rosterInterval is how often the roster's version is looked at.
const rosterInterval = time.Second

// followRoster closes what a new roster no longer admits.
func (l *Link) followRoster() {
	tick := time.NewTicker(rosterInterval)
	defer tick.Stop()
	var seen uint32
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		if r := l.roster(); r != nil && r.Version != seen {
			seen = r.Version
			l.Refresh()
		}
	}
}

// Refresh closes the connections of peers that the roster no longer admits, at
// once. The link looks by itself every second; connect it to the node's
// OnRoster to have no gap at all.
func (l *Link) Refresh() {
	roster := l.roster()
	if roster == nil {
		return
	}
	var gone []*peer
	var conns []*meteredConn
	l.mu.Lock()
	for id, p := range l.peers {
		if !admitted(roster, id) {
			gone = append(gone, p)
			delete(l.peers, id)
		}
	}
	for c, id := range l.conns {
		if !admitted(roster, id) {
			conns = append(conns, c)
		}
	}
	l.mu.Unlock()
	for _, p := range gone {
		l.log.Warn("link peer left the roster: closing", "peer", p.id.String())
		p.letGo()
	}
	for _, c := range conns {
		c.Close()
	}
}

// PeerStatus is one peer as the link sees it.
type PeerStatus struct {
	Hub       territory.HubID
	Connected bool // a session stands
	// Via is the hub that passes the session on; zero: it is direct.
	Via territory.HubID
	// OutOfDate: the dates of its certificate do not hold; its clock is suspect.
	OutOfDate bool
	Octets    Octets
	Dropped   int64 // packets that gave way or found nobody
}

// Peer returns the status of one peer, zero values for one never met.
func (l *Link) Peer(id territory.HubID) PeerStatus {
	l.mu.Lock()
	p, m := l.peers[id], l.meters[id]
	l.mu.Unlock()
	s := PeerStatus{Hub: id}
	if m != nil {
		s.Octets = m.octets()
	}
	if p != nil {
		p.mu.Lock()
		if now := p.current(); now != nil {
			s.Connected, s.Via = true, now.raw.via
		}
		p.mu.Unlock()
		s.OutOfDate, s.Dropped = p.outOfDate.Load(), p.dropped.Load()
	}
	return s
}

// Peers returns the status of every peer met since the start.
func (l *Link) Peers() []PeerStatus {
	l.mu.Lock()
	ids := make([]territory.HubID, 0, len(l.meters))
	for id := range l.meters {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	all := make([]PeerStatus, 0, len(ids))
	for _, id := range ids {
		all = append(all, l.Peer(id))
	}
	return all
}
