package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// current is the session to use; nil for none. The caller holds mu.
func (p *peer) current() *session {
	for i := len(p.sessions) - 1; i >= 0; i-- {
		if s := p.sessions[i]; !s.mux.IsClosed() && !p.retiring[s] {
			return s
		}
	}
	for i := len(p.sessions) - 1; i >= 0; i-- {
		if s := p.sessions[i]; !s.mux.IsClosed() {
			return s
		}
	}
	return nil
}

// errShortLived means that a session ended as soon as it stood, twice.
var errShortLived = errors.New("the session ended at once")

// session returns the session that stands, or calls the peer. Callers share one
// call, which goes on when they give up.
func (p *peer) session(ctx context.Context) (*session, error) {
	for range 3 {
		p.mu.Lock()
		if s := p.current(); s != nil {
			p.mu.Unlock()
			return s, nil
		}
		done := p.dialing
		if done == nil {
			if p.rest.open(time.Now()) {
				err := p.dialErr
				p.mu.Unlock()
				return nil, fmt.Errorf("%w (%w)", ErrResting, err)
			}
			done = make(chan struct{})
			p.dialing = done
			p.mu.Unlock()
			if !p.link.run(p.dial) {
				p.mu.Lock()
				p.dialing = nil
				p.mu.Unlock()
				close(done)
				return nil, ErrClosed
			}
		} else {
			p.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-done:
		}
		p.mu.Lock()
		err := p.dialErr
		p.mu.Unlock()
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: %w", p.id, errShortLived)
}

// dial makes one call and serves the session to its end.
func (p *peer) dial() {
	s, err := p.link.dialSession(p.ctx, p.id, p.link.dialTLS)
	p.mu.Lock()
	done := p.dialing
	p.dialing, p.dialErr = nil, err
	if err != nil {
		p.rest.fail(time.Now())
	}
	p.mu.Unlock()
	if err == nil {
		p.add(s)
	}
	close(done)
	if err != nil {
		p.link.log.Debug("link peer does not answer", "peer", p.id.String(), "err", err)
		return
	}
	p.serve(s)
}

// serve serves a session to its end. One that a rendezvous altered counts against
// it.
func (p *peer) serve(s *session) {
	p.link.serve(s, p.id)
	p.remove(s)
	if s.through() && s.reading != nil && altered(s.reading.err()) {
		p.link.log.Warn("link session was altered on its way", "peer", p.id.String(), "via", s.raw.via.String())
		p.link.blame(s.raw.via)
	}
}

// add takes a session into use.
func (p *peer) add(s *session) {
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	p.rest.reset()
	losers := append(p.prefer(), p.settle()...)
	p.mu.Unlock()
	for _, loser := range losers {
		time.AfterFunc(retireAfter, loser.close)
	}
	p.link.log.Info("link peer up", "peer", p.id.String(), "dialled", s.dialled, "through", s.through())
	if s.through() {
		time.AfterFunc(tunnelProves, func() {
			if !s.mux.IsClosed() {
				p.link.clear(s.raw.via)
			}
		})
	}
	if r := p.link.receiver; r != nil {
		r.Up(p.id)
	}
}

// prefer retires the sessions that a rendezvous passes on, once one stands that
// none does. Who dialled one ends it. The caller holds mu.
func (p *peer) prefer() (end []*session) {
	stands := func(s *session) bool { return !s.mux.IsClosed() && !p.retiring[s] }
	if !slices.ContainsFunc(p.sessions, func(s *session) bool { return stands(s) && !s.through() }) {
		return nil
	}
	for _, s := range p.sessions {
		if stands(s) && s.through() {
			p.retiring[s] = true
			if s.dialled {
				end = append(end, s)
			}
		}
	}
	return end
}

// settle looks whether both sides dialled at the same moment. The session that
// the lower name dialled is then used by both; the higher name, which dialled
// the other, is told to end that one a moment later, so the two sides cannot end
// both. The caller holds mu.
func (p *peer) settle() (end []*session) {
	var ours, theirs *session
	for _, s := range p.sessions {
		switch {
		case s.mux.IsClosed() || p.retiring[s]:
		case s.dialled:
			ours = s
		default:
			theirs = s
		}
	}
	if ours == nil || theirs == nil {
		return nil
	}
	if bytes.Compare(p.link.self[:], p.id[:]) > 0 {
		p.retiring[ours] = true
		return []*session{ours}
	}
	// A session much older than the peer's call is one that the peer lost.
	if theirs.born.Sub(ours.born) < sameMoment {
		p.retiring[theirs] = true
	}
	return nil
}

// remove forgets a session that ended.
func (p *peer) remove(s *session) {
	p.mu.Lock()
	i := slices.Index(p.sessions, s)
	if i >= 0 {
		p.sessions = slices.Delete(p.sessions, i, i+1)
	}
	delete(p.retiring, s)
	left, at := len(p.sessions), p.link.now()
	p.mu.Unlock()
	if i < 0 || left > 0 {
		return
	}
	p.link.log.Info("link peer down", "peer", p.id.String())
	if r := p.link.receiver; r != nil {
		r.Down(p.id, at)
	}
}
