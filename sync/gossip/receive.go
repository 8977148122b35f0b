package gossip

import (
	"net"
	"time"

	"relais/node/territory"
	"relais/sync/link"
)

const (
	// replyWanted in the first octet of a vector frame asks for ours.
	replyWanted = 1
	// heardInterval is how often one peer's signs of life are passed on.
	heardInterval = time.Second
)

// offer enqueues an event, or drops it: vectors find what was dropped.
func (p *Pool) offer(e event) {
	select {
	case p.inbox <- e:
	default:
		p.log.Warn("gossip inbox full", "peer", e.from.String())
	}
}

// Frame implements link.Receiver.
func (p *Pool) Frame(from territory.HubID, kind link.Type, payload []byte) {
	now := p.now()
	p.hear(from, now)
	switch kind {
	case link.TypePacket:
		p.transport.packet(from, payload, now)
	case link.TypeRecord:
		p.offer(event{kind: recordEvent, from: from, data: payload})
	case link.TypeBeacon:
		p.offer(event{kind: beaconEvent, from: from, data: payload})
	case link.TypeVector:
		if len(payload) == 0 {
			return
		}
		e := event{kind: vectorEvent, from: from, data: payload[1:]}
		if payload[0]&replyWanted != 0 {
			e.kind = askedEvent
		}
		p.offer(e)
	}
}

// Stream implements link.Receiver: streams are memberlist's.
func (p *Pool) Stream(from territory.HubID, conn net.Conn) {
	p.hear(from, p.now())
	p.transport.stream(conn)
}

// Up implements link.Receiver.
func (p *Pool) Up(peer territory.HubID) {
	p.show(p.link.Peer(peer)) // before anything it says is taken
	p.hear(peer, p.now())
	select {
	case p.fresh <- peer:
	default:
	}
}

// Down implements link.Receiver. Where a session is kept with every hub, one
// that ended means that the peer is out of reach: the screens say so at once. In
// a larger territory it means nothing, and silence decides.
func (p *Pool) Down(peer territory.HubID, at time.Time) {
	roster := p.local.Roster()
	if roster == nil || len(roster.Hubs) > p.keep {
		return
	}
	p.mu.Lock()
	delete(p.heard, peer)
	p.mu.Unlock()
	p.local.PeerLost(peer, at)
}

// show passes on how a connected peer is connected.
func (p *Pool) show(peer link.PeerStatus) {
	local, shows := p.local.(shower)
	if !shows || !peer.Connected {
		return
	}
	local.PeerThrough(peer.Hub, !peer.Via.IsZero())
	local.PeerDates(peer.Hub, !peer.OutOfDate, p.now())
}

// shower is the part of a hub that shows whose certificate is out of date, and so
// whose clock may be wrong, and who is reached through another. It is asked for
// apart because not every Local shows anything; *node.Node does.
type shower interface {
	PeerDates(peer territory.HubID, hold bool, at time.Time)
	PeerThrough(peer territory.HubID, through bool)
}

// hear passes a sign of life on, once a second at most.
func (p *Pool) hear(peer territory.HubID, now time.Time) {
	p.mu.Lock()
	due := now.Sub(p.heard[peer]).Abs() >= heardInterval
	if due {
		p.heard[peer] = now
	}
	p.mu.Unlock()
	if due {
		p.local.PeerHeard(peer, now)
	}
}
