package link

import (
	"fmt"
	"slices"

	"relais/node/territory"
)

const (
	// maxQueued and maxQueuedOctets bound what waits for one peer.
	maxQueued       = 512
	maxQueuedOctets = 1 << 20
)

// Send queues a packet for a peer, best effort, and returns at once. When the
// queue is full the oldest packet gives way. The payload is copied.
func (l *Link) Send(to territory.HubID, kind Type, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("send to %s: %w", to, ErrFrameTooLarge)
	}
	p := l.peer(to)
	if p == nil {
		return fmt.Errorf("send to %s: %w", to, ErrUnknownPeer)
	}
	frame := make([]byte, 0, headerOctets+len(payload))
	p.push(AppendFrame(frame, Frame{Type: kind, Dst: to, Src: l.self, Payload: payload}))
	return nil
}

// push queues a frame, at the expense of the oldest ones.
func (p *peer) push(frame []byte) {
	p.mu.Lock()
	for len(p.queue) > 0 && (len(p.queue) >= maxQueued || p.queued+len(frame) > maxQueuedOctets) {
		p.queued -= len(p.queue[0])
		p.queue = slices.Delete(p.queue, 0, 1)
		p.dropped.Add(1)
	}
	p.queue = append(p.queue, frame)
	p.queued += len(frame)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// pop takes the oldest frame; nil when none waits.
func (p *peer) pop() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return nil
	}
	frame := p.queue[0]
	p.queue = slices.Delete(p.queue, 0, 1)
	p.queued -= len(frame)
	return frame
}

// write sends what is queued until the peer is let go of.
func (p *peer) write() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.wake:
		}
		for frame := p.pop(); frame != nil && p.ctx.Err() == nil; frame = p.pop() {
			if err := p.sendFrame(frame); err != nil {
				p.dropped.Add(1)
			}
		}
	}
}

// sendFrame sends on the session that stands or on a new one; a session that
// turns out to be dead is replaced once.
func (p *peer) sendFrame(frame []byte) error {
	for try := 0; ; try++ {
		s, err := p.session(p.ctx)
		if err != nil {
			return err
		}
		if err = s.send(frame); err == nil {
			return nil
		}
		s.close()
		p.remove(s)
		if try == 1 {
			return err
		}
	}
}
