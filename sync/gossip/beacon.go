package gossip

import (
	"context"
	"math/rand/v2"
	"time"

	"relais/node/territory"
	"relais/sync/link"
)

const (
	// firstBeacon is about when after the start a hub first says what it hears: the
	// others have been met by then.
	firstBeacon = 10 * time.Second
	// beaconJitter is by how much the time between two beacons varies, each way.
	beaconJitter = 0.2
)

// beaconer is the part of a hub that makes and takes signs of life. It is asked for
// apart because not every Local shows who hears whom; *node.Node does.
type beaconer interface {
	Beacon() (wire []byte, next time.Duration, err error)
	TakeBeacon(wire []byte) (fresh bool, err error)
}

// beaconLoop sends this hub's sign of life, again and again.
func (p *Pool) beaconLoop(ctx context.Context) {
	local, speaks := p.local.(beaconer)
	if !speaks {
		return
	}
	for next := firstBeacon; sleep(ctx, jittered(next)); {
		wire, due, err := local.Beacon()
		if err != nil {
			p.log.Warn("gossip has no beacon", "err", err)
		}
		if next = due; err == nil && wire != nil {
			p.spreadBeacon(wire, territory.HubID{})
		}
	}
}

func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - beaconJitter + 2*beaconJitter*rand.Float64()))
}

// takeBeacon notes a sign of life, and passes on what is new: no queue repeats it,
// for the next one comes.
func (p *Pool) takeBeacon(e event) {
	local, takes := p.local.(beaconer)
	if !takes || p.seen.has(e.data) {
		return
	}
	fresh, err := local.TakeBeacon(e.data)
	if err != nil {
		p.log.Debug("gossip beacon not taken", "peer", e.from.String(), "err", err)
		return
	}
	p.seen.add(e.data)
	if fresh {
		p.spreadBeacon(e.data, e.from)
	}
}

func (p *Pool) spreadBeacon(wire []byte, from territory.HubID) {
	for _, hub := range p.targets(from) {
		p.link.Send(hub, link.TypeBeacon, wire) // best effort
	}
}
