package link

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"relais/node/territory"
)

// ErrResting means that the peer did not answer a moment ago and is left in
// peace for now.
var ErrResting = errors.New("the peer does not answer; waiting before the next call")

// peer is everything towards one hub: its sessions, and the packets that wait.
type peer struct {
	link *Link
	id   territory.HubID
	ctx  context.Context // ended when the peer leaves the roster or the link closes
	stop context.CancelFunc
	wake chan struct{} // capacity 1: packets wait

	dropped   atomic.Int64 // packets, the queue being full or the peer away
	outOfDate atomic.Bool

	mu       sync.Mutex        // guards what follows; never held across I/O
	sessions []*session        // newest last, and used first
	retiring map[*session]bool // used only when nothing else stands
	dialing  chan struct{}     // closed when the dial under way ends; nil: none
	dialErr  error             // of the last dial
	rest     breaker
	queue    [][]byte
	queued   int // octets in queue
}

// peer returns the state for one hub, made if the roster admits it; nil if not.
func (l *Link) peer(id territory.HubID) *peer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.peers[id]; p != nil {
		return p
	}
	if l.closed || id == l.self || !admitted(l.roster(), id) {
		return nil
	}
	p := &peer{link: l, id: id, wake: make(chan struct{}, 1), retiring: make(map[*session]bool)}
	p.ctx, p.stop = context.WithCancel(l.ctx)
	l.peers[id] = p
	l.work.Go(p.write)
	return p
}

// Dial opens a stream to a peer, calling it first if need be. While the peer
// rests after a failure it returns ErrResting at once.
func (l *Link) Dial(ctx context.Context, to territory.HubID) (net.Conn, error) {
	p := l.peer(to)
	if p == nil {
		return nil, fmt.Errorf("dial %s: %w", to, ErrUnknownPeer)
	}
	s, err := p.session(ctx)
	if err != nil {
		return nil, err
	}
	return s.open(l.self, to)
}

// Connect sees to it that a session with the peer stands.
func (l *Link) Connect(ctx context.Context, to territory.HubID) error {
	p := l.peer(to)
	if p == nil {
		return fmt.Errorf("connect to %s: %w", to, ErrUnknownPeer)
	}
	_, err := p.session(ctx)
	return err
}

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

// session returns the session that stands, or calls the peer. Callers share one
// call, which goes on when they give up.
func (p *peer) session(ctx context.Context) (*session, error) {
	for {
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
	left := len(p.sessions)
	p.mu.Unlock()
	if i >= 0 && left == 0 {
		p.link.log.Info("link peer down", "peer", p.id.String())
	}
}

// letGo ends everything towards the peer.
func (p *peer) letGo() {
	p.stop()
	p.mu.Lock()
	sessions := slices.Clone(p.sessions)
	p.mu.Unlock()
	for _, s := range sessions {
		s.close()
	}
}

// serveSession begins the session of a caller and serves it to its end.
func (l *Link) serveSession(conn *tls.Conn, raw *meteredConn, id territory.HubID) error {
	p := l.peer(id)
	if p == nil {
		return ErrUnknownPeer
	}
	s, err := l.newSession(conn, raw, false)
	if err != nil {
		return err
	}
	p.add(s)
	l.run(func() {
		l.serve(s, id)
		p.remove(s)
	})
	return nil
}

// markDates notes whether the dates of the leaf that the peer showed hold.
func (l *Link) markDates(id territory.HubID, state tls.ConnectionState) {
	if p := l.peer(id); p != nil {
		late := outOfDate(state.PeerCertificates[0], l.now())
		if p.outOfDate.Swap(late) != late && late {
			l.log.Warn("link peer's certificate dates do not hold: its clock or ours is wrong", "peer", id.String())
		}
	}
}
