package gossip

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/hashicorp/memberlist"

	"relais/node/id"
)

const (
	// packetOctets is the largest packet, small enough for any tunnel.
	packetOctets = 1200
	// handoffDepth is how many messages memberlist keeps for its handler.
	handoffDepth = 4096
	// probeInterval and suspicion make memberlist's probes half as frequent, and its
	// patience with who does not answer as long: the link notices most of it before,
	// and the probes of an idle territory are most of what it sends.
	probeInterval = 10 * time.Second
	suspicion     = 3 // times the interval, times the territory's order of magnitude
	// pushPullInterval is how often a hub compares its list of members with another:
	// hubs that meet do, and names are long. Vectors are compared each minute
	// (compareInterval).
	pushPullInterval = 5 * time.Minute
	// reclaimAfter lets a dead member's name come back at another address.
	reclaimAfter = 30 * time.Second
	// gossipToTheDead is how long members that went to sleep are still told.
	gossipToTheDead = 30 * time.Second
	// stateTimeout bounds the reading of our vector for a push/pull.
	stateTimeout = 2 * time.Second
)

// config is memberlist's WAN preset with the changes that sync/DESIGN.md
// explains.
func (p *Pool) config() *memberlist.Config {
	c := memberlist.DefaultWANConfig()
	c.Name = p.link.Self().String()
	c.Transport = p.transport
	c.RequireNodeNames = true
	c.EnableCompression = false // it makes signed records longer
	c.UDPBufferSize = packetOctets
	c.HandoffQueueDepth = handoffDepth
	c.ProbeInterval, c.SuspicionMult, c.PushPullInterval = probeInterval, suspicion, pushPullInterval
	c.DeadNodeReclaimTime = reclaimAfter
	c.GossipToTheDeadTime = gossipToTheDead
	c.DisableTcpPings = true // the packets go over TCP already
	if r := p.local.Roster(); r != nil {
		c.Label = "relais/" + string(r.Territory)
	}
	c.Delegate, c.Alive, c.Merge = p, p, p
	c.LogOutput, c.Logger = nil, log.New(listLog{p.log}, "", 0)
	return c
}

// NotifyAlive implements memberlist.AliveDelegate: members are hubs of the
// roster at the address that goes with their name.
func (p *Pool) NotifyAlive(n *memberlist.Node) error {
	hub, err := parseHub(n.Name)
	if err != nil {
		return err
	}
	if !n.Addr.Equal(virtualIP(hub)) || n.Port != virtualPort {
		return fmt.Errorf("%s is not at its address", hub)
	}
	roster := p.local.Roster()
	if roster == nil {
		return fmt.Errorf("%s: no roster yet", hub)
	}
	if member, ok := roster.Author(hub); !ok || member.Expelled || member.National {
		return fmt.Errorf("%s is not a hub of the roster", hub)
	}
	return nil
}

// NotifyMerge implements memberlist.MergeDelegate. It refuses a list in which
// something is not even a hub's name. A hub that only a newer roster knows must
// not spoil the merge: NotifyAlive leaves it out by itself.
func (p *Pool) NotifyMerge(nodes []*memberlist.Node) error {
	for _, n := range nodes {
		if _, err := parseHub(n.Name); err != nil {
			return err
		}
	}
	return nil
}

// NodeMeta implements memberlist.Delegate; the roster says all there is to say.
func (p *Pool) NodeMeta(int) []byte { return nil }

// NotifyMsg implements memberlist.Delegate: a record from the transmit queue,
// behind the name of the hub that queued it.
func (p *Pool) NotifyMsg(msg []byte) {
	if len(msg) <= id.Size {
		return
	}
	e := event{kind: recordEvent, data: bytes.Clone(msg[id.Size:])}
	copy(e.from[:], msg)
	p.offer(e)
}

// GetBroadcasts implements memberlist.Delegate.
func (p *Pool) GetBroadcasts(overhead, limit int) [][]byte {
	return p.queue.GetBroadcasts(overhead, limit)
}

// LocalState implements memberlist.Delegate: our name and vector, whatever the
// number of records.
func (p *Pool) LocalState(bool) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	v, err := p.vector(ctx)
	if err != nil {
		p.log.Warn("gossip could not read the vector", "err", err)
		return nil
	}
	self := p.link.Self()
	return append(self[:], v...)
}

// MergeRemoteState implements memberlist.Delegate. Nothing here says who speaks,
// but the state itself.
func (p *Pool) MergeRemoteState(state []byte, _ bool) {
	if len(state) <= id.Size {
		return
	}
	e := event{kind: toldEvent, data: bytes.Clone(state[id.Size:])}
	copy(e.from[:], state)
	p.offer(e)
}

// listLog passes memberlist's lines on for those who look closely.
type listLog struct{ log *slog.Logger }

func (l listLog) Write(line []byte) (int, error) {
	l.log.Debug(string(bytes.TrimSpace(line)))
	return len(line), nil
}
