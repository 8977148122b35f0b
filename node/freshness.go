package node

import (
	"context"
	"sync"
	"time"

	"relais/node/internal/store"
	"relais/node/territory"
)

const (
	// recentContact is how long a hub counts as connected after its last word.
	recentContact = 90 * time.Second
	// freshnessSaved is how often what was heard of the peers is kept.
	freshnessSaved = 30 * time.Second
	// clockStep is how far back the clock may be set, by those who keep it right,
	// without anything being forgotten.
	clockStep = 2 * time.Second
)

// Freshness says how old this hub's information is.
type Freshness struct {
	// At is the last moment this hub compared what it knows with any other hub
	// or the national service; zero for never.
	At time.Time
	// Seen of Expected hubs, this one included, were heard within 90 s and not
	// lost since.
	Seen, Expected int
	National       time.Time // last successful pass; zero for never
}

// contact is what was heard of one peer.
type contact struct {
	heard, compared time.Time
	lost            time.Time // out of reach since, unless heard later
	dated, undated  time.Time // its certificate's dates last held, and last did not; not kept
	through         bool      // another hub passes on what it says; not kept
}

// upTo returns c without what it dates later than now: the clock was ahead when
// that was noted, and nothing true would ever replace it.
func (c contact) upTo(now time.Time) contact {
	for _, at := range []*time.Time{&c.heard, &c.compared, &c.lost, &c.dated, &c.undated} {
		if at.After(now.Add(clockStep)) {
			*at = time.Time{}
		}
	}
	return c
}

// freshness holds what was heard of the peers. It changes with every word they
// say, so it is kept only from time to time: what a power cut loses is a minute
// of signs of life.
type freshness struct {
	mu      sync.Mutex
	peers   map[territory.HubID]contact  // guarded by mu
	changed map[territory.HubID]struct{} // guarded by mu: since it was last kept
}

// update changes what is known of a peer, now.
func (f *freshness) update(peer territory.HubID, now time.Time, change func(*contact)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.peers == nil {
		f.peers, f.changed = make(map[territory.HubID]contact), make(map[territory.HubID]struct{})
	}
	c := f.peers[peer].upTo(now)
	change(&c)
	f.peers[peer] = c.upTo(now)
	f.changed[peer] = struct{}{}
}

func (f *freshness) of(peer territory.HubID, now time.Time) contact {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.peers[peer].upTo(now)
}

// latest is the last comparison with anybody.
func (f *freshness) latest(now time.Time) (at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.peers {
		at = later(at, c.upTo(now).compared)
	}
	return at
}

// take returns what changed since it was last called.
func (f *freshness) take() []store.Peer {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []store.Peer
	for peer := range f.changed {
		c := f.peers[peer]
		list = append(list, store.Peer{Hub: peer, Heard: c.heard, Compared: c.compared})
	}
	clear(f.changed)
	return list
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// PeerCompared notes that this hub and the peer compared what they know: after
// this, at is how fresh our information is. Cheap; kept across restarts.
func (n *Node) PeerCompared(peer territory.HubID, at time.Time) {
	n.fresh.update(peer, n.now(), func(c *contact) {
		c.compared = later(c.compared, at)
		c.heard = later(c.heard, at)
	})
}

// PeerHeard notes a sign of life.
func (n *Node) PeerHeard(peer territory.HubID, at time.Time) {
	n.fresh.update(peer, n.now(), func(c *contact) { c.heard = later(c.heard, at) })
}

// PeerLost notes that the peer is out of reach since at: until it is heard again
// it does not count as connected.
func (n *Node) PeerLost(peer territory.HubID, at time.Time) {
	n.fresh.update(peer, n.now(), func(c *contact) { c.lost = later(c.lost, at) })
}

// PeerThrough notes whether the peer is reached through another hub.
func (n *Node) PeerThrough(peer territory.HubID, through bool) {
	n.fresh.update(peer, n.now(), func(c *contact) { c.through = through })
}

// PeerDates notes whether the dates of the peer's certificate hold at the moment at,
// by our clock: where they do not, one of both clocks is wrong.
func (n *Node) PeerDates(peer territory.HubID, hold bool, at time.Time) {
	n.fresh.update(peer, n.now(), func(c *contact) {
		if hold {
			c.dated = later(c.dated, at)
		} else {
			c.undated = later(c.undated, at)
		}
	})
}

// Freshness returns how old the information is.
func (n *Node) Freshness(ctx context.Context) (f Freshness, err error) {
	now := n.now()
	f.At = n.fresh.latest(now)
	f.Seen, f.Expected = n.presence(now)
	err = n.db.ReadOne(ctx, func(r *store.Reader) (err error) { f.National, err = r.LastNationalSuccess(); return err })
	return f, err
}

// presence counts the active hubs of the roster, this one included, and those
// heard lately. Without a roster there is this one.
func (n *Node) presence(now time.Time) (seen, expected int) {
	roster := n.Roster()
	if roster == nil {
		return 1, 1
	}
	for _, hub := range roster.Hubs {
		if hub.State != territory.HubActive {
			continue
		}
		expected++
		if hub.ID == n.self || n.connected(hub.ID, now) {
			seen++
		}
	}
	return seen, expected
}

func (n *Node) connected(hub territory.HubID, now time.Time) bool {
	c := n.fresh.of(hub, now)
	return !c.heard.IsZero() && now.Sub(c.heard) < recentContact && !c.lost.After(c.heard)
}

func (n *Node) openFreshness(ctx context.Context) error {
	return n.db.Read(ctx, func(r *store.Reader) error {
		peers, err := r.Peers()
		for _, p := range peers {
			n.fresh.update(p.Hub, n.now(), func(c *contact) { *c = contact{heard: p.Heard, compared: p.Compared} })
		}
		n.fresh.take()
		return err
	})
}

// keepFreshness keeps what was heard, from time to time, until ctx ends.
func (n *Node) keepFreshness(ctx context.Context) error {
	tick := time.NewTicker(freshnessSaved)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := n.saveFreshness(ctx); err != nil {
				n.log.WarnContext(ctx, "signs of life were not kept", "err", err)
			}
		}
	}
}

func (n *Node) saveFreshness(ctx context.Context) error {
	peers := n.fresh.take()
	if len(peers) == 0 {
		return nil
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		for _, p := range peers {
			if err := tx.PutPeer(p); err != nil {
				return err
			}
		}
		return nil
	})
}
