// Package gossip spreads records through a territory in well under a second and
// notices what a hub missed.
//
// Four ways, from the fastest to the surest:
//
//  1. Eager push. On first receipt a record goes at once to four live hubs: the
//     next one in the ring of names, which makes the chain complete, and three
//     at random, which make it short.
//  2. The transmit queue of memberlist repeats it, twice per order of magnitude
//     of the territory, half a second apart.
//  3. A hint. Above 32 records waiting, hubs are told "compare with me" instead,
//     and sync/exchange carries the bulk.
//  4. Vectors. Push/pull, every fresh connection and every hint carry what the
//     sender knows. Whoever lacks something is told by OnBehind.
//
// Memberlist gives the members and nothing else: its packets are hints, never
// authority. The link says who speaks; Local.Apply says whether a record holds,
// and only what it took is passed on.
//
// The trap: memberlist calls us from its own loops and reuses its buffers, so
// every callback copies and enqueues, and one loop of ours applies.
package gossip

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link"
)

// Local is the node as the gossip needs it; *node.Node satisfies it.
type Local interface {
	Roster() *territory.Roster
	// Apply verifies records and takes the good ones.
	Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error)
	// Vector is what this hub knows.
	Vector(ctx context.Context) (record.Vector, error)
	// Behind tells whether the other's vector holds something this hub lacks.
	Behind(ctx context.Context, theirs record.Vector) (bool, error)
	// PeerHeard notes a sign of life; PeerCompared, that this hub lacks nothing
	// of what the peer knew.
	PeerHeard(peer territory.HubID, at time.Time)
	// PeerLost notes that the peer is out of reach since at.
	PeerLost(peer territory.HubID, at time.Time)
	PeerCompared(peer territory.HubID, at time.Time)
}

// Options are what a pool needs. Local and Link are required.
type Options struct {
	Local Local
	// Link must not run yet: New becomes its receiver. It should outlive the
	// pool, so that the pool can say good-bye.
	Link *link.Link
	// OnBehind is called when a hub knows something that this one lacks. It must
	// not block: exchange.Puller's Want does not.
	OnBehind func(hub territory.HubID)
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: discards
}

// Pool is this hub's part in the gossip of its territory.
type Pool struct {
	local    Local
	link     *link.Link
	onBehind func(territory.HubID)
	now      func() time.Time
	log      *slog.Logger
	keep     int           // keepSessions; a test's territories are smaller
	every    time.Duration // compareInterval; a test does not wait

	transport *transport
	queue     *memberlist.TransmitLimitedQueue
	seen      *seen
	inbox     chan event
	fresh     chan territory.HubID // peers with a new session
	dirty     chan struct{}        // capacity 1: a hint is due
	list      atomic.Pointer[memberlist.Memberlist]

	answered map[territory.HubID]time.Time // applyLoop's: see compareTold

	mu    sync.Mutex // guards heard
	heard map[territory.HubID]time.Time
}

const (
	// inboxEvents bounds what waits for our loop; more is dropped, and vectors
	// find it again.
	inboxEvents = 4096
	// startSpread is the longest a pool waits at the start, so that hubs switched
	// on together do not gossip in step: memberlist's own stagger leaves the
	// phase of its tickers alone.
	startSpread = 500 * time.Millisecond
	// leaveTimeout bounds the good-bye.
	leaveTimeout = time.Second
)

// New returns a pool and makes it the link's receiver. It works while Run does.
func New(o Options) *Pool {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnBehind == nil {
		o.OnBehind = func(territory.HubID) {}
	}
	p := &Pool{
		local: o.Local, link: o.Link, onBehind: o.OnBehind, now: o.Now, log: o.Logger, keep: keepSessions, every: compareInterval,
		seen:  newSeen(),
		inbox: make(chan event, inboxEvents),
		fresh: make(chan territory.HubID, inboxEvents),
		dirty: make(chan struct{}, 1),
		heard: make(map[territory.HubID]time.Time), answered: make(map[territory.HubID]time.Time),
	}
	p.transport = newTransport(p.link)
	p.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: retransmitMult, NumNodes: p.size}
	p.link.Receive(p)
	return p
}

// Run gossips until ctx ends, then says good-bye.
func (p *Pool) Run(ctx context.Context) error {
	if !sleep(ctx, rand.N(startSpread)) {
		return ctx.Err()
	}
	list, err := memberlist.Create(p.config())
	if err != nil {
		return err
	}
	p.list.Store(list)
	var loops sync.WaitGroup
	loops.Go(func() { p.applyLoop(ctx) })
	loops.Go(func() { p.hintLoop(ctx) })
	loops.Go(func() { p.meetLoop(ctx) })
	loops.Go(func() { p.beaconLoop(ctx) })
	<-ctx.Done()
	if err := list.Leave(leaveTimeout); err != nil {
		p.log.Debug("gossip left without a good-bye", "err", err)
	}
	p.list.Store(nil)
	err = list.Shutdown()
	loops.Wait()
	return errors.Join(ctx.Err(), err)
}

// size is how many members this hub counts, itself included.
func (p *Pool) size() int {
	if list := p.list.Load(); list != nil {
		return list.NumMembers()
	}
	return 1
}

// Members are the other hubs that memberlist believes alive.
func (p *Pool) Members() []territory.HubID {
	list := p.list.Load()
	if list == nil {
		return nil
	}
	nodes := list.Members()
	hubs := make([]territory.HubID, 0, len(nodes))
	for _, n := range nodes {
		if hub, err := parseHub(n.Name); err == nil && hub != p.link.Self() {
			hubs = append(hubs, hub)
		}
	}
	return hubs
}

// sleep waits, and tells whether ctx still stands.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
