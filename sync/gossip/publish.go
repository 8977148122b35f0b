package gossip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"

	"relais/node/territory"
	"relais/sync/link"
)

const (
	// fanout is to how many hubs a record goes at once: the next in the ring of
	// names and the others at random.
	fanout = 4
	// retransmitMult times the territory's order of magnitude is how often the
	// queue repeats a record.
	retransmitMult = 2
	// maxPending is how many records may wait in the queue before hints replace
	// them: a burst would take the queue tens of seconds.
	maxPending = 32
	// hintDelay gathers a burst into one hint.
	hintDelay = 100 * time.Millisecond
)

// broadcast is one record in the transmit queue.
type broadcast []byte

// Invalidates implements memberlist.Broadcast; records never replace another.
func (b broadcast) Invalidates(memberlist.Broadcast) bool { return false }

// Message implements memberlist.Broadcast.
func (b broadcast) Message() []byte { return b }

// Finished implements memberlist.Broadcast.
func (b broadcast) Finished() {}

// UniqueBroadcast implements memberlist.UniqueBroadcast: no look for
// invalidated ones.
func (b broadcast) UniqueBroadcast() {}

// Publish spreads a record that is new here: made here (from is zero) or taken
// from another hub. It returns at once; connect it to the node's OnRecord.
func (p *Pool) Publish(wire []byte, from territory.HubID) {
	p.seen.add(wire)
	if p.list.Load() == nil {
		return // not running: vectors will tell
	}
	if p.queue.NumQueued() >= maxPending {
		p.hint()
		return
	}
	self := p.link.Self()
	p.queue.QueueBroadcast(broadcast(append(self[:], wire...)))
	for _, hub := range p.targets(from) {
		p.link.Send(hub, link.TypeRecord, wire) // best effort
	}
}

// targets are the hubs to tell at once, without the one that told us.
func (p *Pool) targets(from territory.HubID) []territory.HubID {
	live := slices.DeleteFunc(p.live(), func(h territory.HubID) bool { return h == from })
	if len(live) <= fanout {
		return live
	}
	slices.SortFunc(live, compare)
	next, _ := slices.BinarySearchFunc(live, p.link.Self(), compare)
	next %= len(live)
	live[0], live[next] = live[next], live[0]
	for i := 1; i < fanout; i++ {
		j := i + rand.IntN(len(live)-i)
		live[i], live[j] = live[j], live[i]
	}
	return live[:fanout]
}

// live are the hubs worth telling: members, and those that the link holds a
// session with, which may be members a moment later.
func (p *Pool) live() []territory.HubID {
	hubs := p.Members()
	for _, s := range p.link.Peers() {
		if s.Connected && !slices.Contains(hubs, s.Hub) && p.isHub(s.Hub) {
			hubs = append(hubs, s.Hub)
		}
	}
	return hubs
}

// isHub tells whether the roster knows an active hub by this name; the national
// service is none.
func (p *Pool) isHub(id territory.HubID) bool {
	roster := p.local.Roster()
	if roster == nil {
		return false
	}
	h, ok := roster.Hub(id)
	return ok && h.State == territory.HubActive
}

func compare(a, b territory.HubID) int { return bytes.Compare(a[:], b[:]) }

// hint asks for a hint to be sent soon.
func (p *Pool) hint() {
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

// hintLoop tells a few hubs to compare with us, once a burst has gathered. They
// do the same when they have caught up.
func (p *Pool) hintLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.dirty:
		}
		if !sleep(ctx, hintDelay) {
			return
		}
		p.sendVector(ctx, 0, p.targets(territory.HubID{})...)
	}
}
