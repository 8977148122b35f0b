package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"

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

	straightening atomic.Bool // a call at its addresses is under way, beside a session

	mu       sync.Mutex        // guards what follows; never held across I/O
	sessions []*session        // newest last, and used first
	retiring map[*session]bool // used only when nothing else stands
	dialing  chan struct{}     // closed when the dial under way ends; nil: none
	dialErr  error             // of the last dial
	rest     breaker
	passing  breaker // of the peer as a rendezvous
	straight breaker // of its addresses, while it is reached through another
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

// Connect sees to it that a session with the peer stands, and that one by way of
// another hub gives way to a direct one where there may be.
func (l *Link) Connect(ctx context.Context, to territory.HubID) error {
	p := l.peer(to)
	if p == nil {
		return fmt.Errorf("connect to %s: %w", to, ErrUnknownPeer)
	}
	s, err := p.session(ctx)
	if err == nil && s.through() {
		p.straighten()
	}
	return err
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
	l.run(func() { p.serve(s) })
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
