package gossip

import (
	"context"
	"time"

	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link"
)

// eventKind says what an event brings.
type eventKind uint8

const (
	recordEvent eventKind = iota
	vectorEvent           // the sender's vector
	askedEvent            // the same, and ours is wanted back
	toldEvent             // a vector of whoever the sender says
	beaconEvent           // somebody's sign of life
)

// event is something a callback copied for our loop. from is who handed it over;
// for what came through memberlist that is only what the sender says.
type event struct {
	kind eventKind
	from territory.HubID
	data []byte
}

// batchEvents bounds how much is applied in one go.
const batchEvents = 256

// answerInterval is how often one hub is sent our vector because of what others
// told in its name.
const answerInterval = time.Second

// applyLoop is the one loop that brings in what others sent.
func (p *Pool) applyLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-p.inbox:
			p.applyBatch(ctx, p.gather(first))
		}
	}
}

// gather takes what waits behind the first event.
func (p *Pool) gather(first event) []event {
	batch := []event{first}
	for len(batch) < batchEvents {
		select {
		case e := <-p.inbox:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// applyBatch applies the records of each sender together, then looks at the
// latest vector of each.
func (p *Pool) applyBatch(ctx context.Context, batch []event) {
	records := make(map[territory.HubID][][]byte)
	vectors := make(map[territory.HubID]event)
	told := make(map[territory.HubID]event)
	for _, e := range batch {
		switch e.kind {
		case recordEvent:
			if len(e.data) <= record.MaxOctets && !p.seen.has(e.data) {
				records[e.from] = append(records[e.from], e.data)
			}
		case beaconEvent:
			p.takeBeacon(e)
		case toldEvent:
			told[e.from] = e
		default:
			if vectors[e.from].kind == askedEvent {
				e.kind = askedEvent
			}
			vectors[e.from] = e
		}
	}
	for from, wires := range records {
		p.apply(ctx, from, wires)
	}
	for _, e := range vectors {
		p.compare(ctx, e)
	}
	for _, e := range told {
		p.compareTold(ctx, e)
	}
}

func (p *Pool) apply(ctx context.Context, from territory.HubID, wires [][]byte) {
	done, err := p.local.Apply(ctx, wires, from)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			p.log.Warn("gossip records not applied", "peer", from.String(), "records", len(wires), "err", err)
		}
	case done.Refused > 0:
		p.log.Warn("gossip records refused", "peer", from.String(), "refused", done.Refused)
	case done.Postponed > 0: // too far ahead of what is here: in order, then
		p.onBehind(from)
	default:
		for _, wire := range wires {
			p.seen.add(wire)
		}
	}
}

// compare looks at a vector that its own hub sent: whether we lack something, or
// a newer roster.
func (p *Pool) compare(ctx context.Context, e event) {
	at := p.now()
	behind, known := p.behind(ctx, e)
	if !known {
		return
	}
	if behind {
		p.onBehind(e.from)
	} else {
		p.local.PeerCompared(e.from, at)
	}
	if e.kind == askedEvent {
		p.sendVector(ctx, 0, e.from)
	}
}

// compareTold looks at a vector that came through memberlist, which believes the
// name inside. It is a reason to ask that hub, and no comparison with it: for
// that, both send each other theirs over the link.
func (p *Pool) compareTold(ctx context.Context, e event) {
	behind, known := p.behind(ctx, e)
	if !known {
		return
	}
	if behind {
		p.onBehind(e.from)
	}
	if now := p.now(); now.Sub(p.answered[e.from]).Abs() >= answerInterval {
		p.answered[e.from] = now
		p.sendVector(ctx, 0, e.from)
	}
}

// behind tells whether a vector holds something that we lack; known is false for
// one that cannot be compared.
func (p *Pool) behind(ctx context.Context, e event) (behind, known bool) {
	var theirs record.Vector
	if err := theirs.UnmarshalBinary(e.data); err != nil {
		p.log.Warn("gossip vector is none", "peer", e.from.String(), "err", err)
		return false, false
	}
	if !p.isHub(e.from) {
		return false, false
	}
	behind, err := p.local.Behind(ctx, theirs)
	if err != nil {
		p.log.Warn("gossip vector not compared", "peer", e.from.String(), "err", err)
		return false, false
	}
	roster := p.local.Roster()
	return behind || roster == nil || theirs.RosterVersion > roster.Version, true
}

// vector is what we know, encoded.
func (p *Pool) vector(ctx context.Context) ([]byte, error) {
	v, err := p.local.Vector(ctx)
	if err != nil {
		return nil, err
	}
	return v.MarshalBinary()
}

// sendVector tells hubs what we know.
func (p *Pool) sendVector(ctx context.Context, flags byte, to ...territory.HubID) {
	v, err := p.vector(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("gossip could not read the vector", "err", err)
		}
		return
	}
	payload := append([]byte{flags}, v...)
	for _, hub := range to {
		if err := p.link.Send(hub, link.TypeVector, payload); err != nil {
			p.log.Debug("gossip vector not sent", "peer", hub.String(), "err", err)
		}
	}
}
