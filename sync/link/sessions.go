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
	s, err := p.link.dialSession(p.ctx, p.id)
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
	p.link.serve(s, p.id)
	p.remove(s)
}

// add takes a session into use.
func (p *peer) add(s *session) {
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	p.rest.reset()
	loser := p.settle()
	p.mu.Unlock()
	if loser != nil {
		time.AfterFunc(retireAfter, loser.close)
	}
	p.link.log.Info("link peer up", "peer", p.id.String(), "dialled", s.dialled)
	if r := p.link.receiver; r != nil {
		r.Up(p.id)
	}
}

// settle looks whether both sides dialled at the same moment. The session that
// the lower name dialled is then used by both; the higher name, which dialled
// the other, is told to end that one a moment later, so the two sides cannot end
// both. The caller holds mu.
func (p *peer) settle() (ends *session) {
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
		return ours
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
