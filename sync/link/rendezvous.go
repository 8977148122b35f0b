package link

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"relais/node/territory"
)

// A rendezvous is a hub with an address, which hubs that have none meet at. There
// is no list of who is where: every hub puts them in the same order for a given
// hub, that hub keeps a session with the first two that answer, and who looks for
// it asks there.

const (
	// rendezvousKept is with how many a session is kept, however large the
	// territory.
	rendezvousKept = 2
	// rendezvousAsked bounds how many are asked in one call: the first, and one at
	// random, since the first is not always the one that it found.
	rendezvousAsked = 2
	// rendezvousPatient is after how many calls in a row one of them alone is asked,
	// in turn: who sleeps all night should cost little, and calls when it wakes.
	rendezvousPatient = 3
	// straightenInterval is how often a peer that is reached through another is
	// tried at its addresses again, a fifth more or less.
	straightenInterval = time.Minute
)

// rendezvousOf are the hubs of the roster that may pass calls on to a hub, best
// first: those that Options.Rendezvous names, then all others in the order that is
// that hub's.
func (l *Link) rendezvousOf(hub territory.HubID) []territory.HubID {
	roster := l.roster()
	if roster == nil {
		return nil
	}
	type candidate struct {
		id   territory.HubID
		turn int
		rank uint64
	}
	var all []candidate
	for _, h := range roster.Hubs {
		if h.State != territory.HubActive || len(h.Addresses) == 0 || h.ID == l.self || h.ID == hub {
			continue
		}
		turn := slices.IndexFunc(l.rendezvous, func(name string) bool { return name == h.Name || name == h.ID.String() })
		if turn < 0 {
			turn = len(l.rendezvous)
		}
		sum := sha256.Sum256(append(hub[:], h.ID[:]...))
		all = append(all, candidate{h.ID, turn, binary.BigEndian.Uint64(sum[:])})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.rank, b.rank), bytes.Compare(a.id[:], b.id[:]))
	})
	ids := make([]territory.HubID, len(all))
	for i, c := range all {
		ids[i] = c.id
	}
	return ids
}

// Rendezvous are the hubs to call now, so that a session stands with two at which
// this hub is looked for. Those that do not answer are left in peace, and the next
// ones stand in.
func (l *Link) Rendezvous() (call []territory.HubID) {
	standing := 0
	for _, id := range l.rendezvousOf(l.self) {
		if standing+len(call) == rendezvousKept {
			break
		}
		switch p := l.met(id); {
		case p == nil:
			call = append(call, id)
		case p.direct() != nil:
			standing++
		case !p.resting(): // or met already, but by way of another: of no use as it is
			call = append(call, id)
		}
	}
	return call
}

// rendezvousFor are those to ask for a tunnel to a hub: itself, where it called.
// Only a session that stands is used: two calls that waited for each other's rendezvous would wait in a ring.
// Where a hub that has no address should be looked for, one is called for next
// time.
func (l *Link) rendezvousFor(hub territory.HubID) []*peer {
	h, ok := l.rosterHub(hub)
	if !ok || h.State != territory.HubActive || hub == l.self {
		return nil
	}
	if p := l.met(hub); p != nil && p.passes() {
		return []*peer{p}
	}
	var open []*peer
	order := l.rendezvousOf(hub)
	for _, id := range order {
		if p := l.met(id); p != nil && p.passes() {
			open = append(open, p)
		}
	}
	if len(h.Addresses) == 0 {
		l.callAhead(order[:min(len(order), rendezvousKept)])
	}
	if len(open) > 1 {
		i := 1 + rand.IntN(len(open)-1)
		open[1], open[i] = open[i], open[1]
		open = open[:rendezvousAsked]
	}
	if fails := l.failsOf(hub); fails >= rendezvousPatient && len(open) > 1 { // it sleeps
		open = open[fails%2:][:1]
	}
	return open
}

// failsOf is how often in a row a peer did not answer.
func (l *Link) failsOf(hub territory.HubID) int {
	p := l.met(hub)
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rest.fails
}

// callAhead calls hubs that no session stands with, without waiting.
func (l *Link) callAhead(hubs []territory.HubID) {
	for _, id := range hubs {
		if p := l.peer(id); p != nil && p.direct() == nil && !p.resting() {
			l.run(func() {
				ctx, cancel := context.WithTimeout(l.ctx, dialTimeout)
				defer cancel()
				l.Connect(ctx, id) // for the next call to find
			})
		}
	}
}

func (l *Link) rosterHub(id territory.HubID) (territory.Hub, bool) {
	if roster := l.roster(); roster != nil {
		return roster.Hub(id)
	}
	return territory.Hub{}, false
}

// met is the peer under that name; nil if there was nothing with it yet.
func (l *Link) met(id territory.HubID) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peers[id]
}

// direct is the session with the peer that no other hub passes on; nil for none.
func (p *peer) direct() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.current(); s != nil && !s.through() {
		return s
	}
	return nil
}

// resting tells whether to leave the peer in peace now: it did not answer a moment ago
// or, being reached through another, its addresses did not.
func (p *peer) resting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.current(); s != nil && s.through() {
		return p.straight.open(time.Now())
	}
	return p.rest.open(time.Now())
}

// passes tells whether to ask the peer for a tunnel now.
func (p *peer) passes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.current()
	return s != nil && !s.through() && !p.passing.open(time.Now())
}

// blame and clear note how a rendezvous did. One that refuses, alters or loses what
// it should pass on is left in peace, as a peer that does not answer is.
func (l *Link) blame(via territory.HubID) {
	if r := l.met(via); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passing.fail(time.Now())
	}
}

func (l *Link) clear(via territory.HubID) {
	if r := l.met(via); r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.passing.reset()
	}
}

// straighten calls peers that are reached through another at their addresses, from
// time to time: the way may be free again. A session that comes of it takes over.
func (l *Link) straighten() {
	for {
		wait := time.NewTimer(time.Duration(float64(straightenInterval) * (0.8 + 0.4*rand.Float64())))
		select {
		case <-l.ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		for _, s := range l.Peers() {
			l.straightenOne(s)
		}
	}
}

func (l *Link) straightenOne(s PeerStatus) {
	h, _ := l.rosterHub(s.Hub)
	if p := l.met(s.Hub); p != nil && s.Connected && !s.Via.IsZero() && len(h.Addresses) > 0 {
		p.straighten()
	}
}

// straighten calls a peer that is reached through another at its addresses, without
// waiting.
func (p *peer) straighten() {
	if !p.resting() {
		p.link.run(p.dialStraight)
	}
}

// dialStraight makes one call at the peer's addresses and serves the session to
// its end. That it fails means nothing: the peer is reached.
func (p *peer) dialStraight() {
	if !p.straightening.CompareAndSwap(false, true) {
		return
	}
	s, err := p.link.dialSession(p.ctx, p.id, p.link.dialDirect)
	p.mu.Lock()
	if err != nil {
		p.straight.fail(time.Now())
	} else {
		p.straight.reset()
	}
	p.mu.Unlock()
	p.straightening.Store(false)
	if err == nil {
		p.add(s)
		p.serve(s)
	}
}
