package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hashicorp/yamux"

	"relais/node/territory"
)

const (
	// tunnelPatience bounds one write in a tunnel, and how long a session in it may
	// take to answer a ping: who passes it on may make it wait (transit.go).
	tunnelPatience = time.Minute
	// tunnelKeepAlive is how often an idle session in a tunnel is tried. The
	// sessions that carry the tunnel have their own keep-alive, and end it with
	// them; this one notices only a rendezvous that keeps what it should pass on.
	tunnelKeepAlive = 2 * time.Minute
	// tunnelProves is how long a session in a tunnel must stand before what its
	// rendezvous did wrong is forgotten.
	tunnelProves = time.Minute
)

// What the first octet of an answer to TypeTunnel says.
const (
	tunnelOpen    = 1 // what follows is the other hub's
	tunnelAway    = 2 // no session with that hub stands here, or it takes no call
	tunnelFull    = 3 // as many tunnels as there may be
	tunnelRefused = 4 // this hub passes nothing on
)

// Why a rendezvous opens no tunnel.
var (
	errNoRendezvous  = errors.New("no rendezvous is connected")
	errTunnelAway    = errors.New("the rendezvous does not reach it")
	errTunnelFull    = errors.New("the rendezvous has too many tunnels open")
	errTunnelRefused = errors.New("the hub is no rendezvous")
	errTunnelAnswer  = errors.New("the rendezvous answers what is no answer")
)

// passage is what a frame of TypeTunnel asks of the hub that reads it.
type passage int

const (
	passOn   passage = iota + 1 // a tunnel from the peer to Dst
	takeCall                    // Src calls: the peer itself, or it passes the call on
)

// passageOf reads what the two names of a tunnel's frame say to self, on a session
// with peer. A frame that names neither was passed on already and must not be
// again: a tunnel has one hop, so there is no loop. That, and a payload, no honest
// hub sends: ErrFrameRoute.
func passageOf(f Frame, self, peer territory.HubID) (passage, error) {
	switch {
	case len(f.Payload) > 0 || f.Src == f.Dst:
	case f.Src == peer && f.Dst != self:
		return passOn, nil
	case f.Dst == self && f.Src != self:
		return takeCall, nil
	}
	return 0, fmt.Errorf("%w: tunnel from %s to %s", ErrFrameRoute, f.Src, f.Dst)
}

// tunnelErr is what an answer means to who asked.
func tunnelErr(answer byte) error {
	switch answer {
	case tunnelOpen:
		return nil
	case tunnelAway:
		return errTunnelAway
	case tunnelFull:
		return errTunnelFull
	case tunnelRefused:
		return errTunnelRefused
	}
	return fmt.Errorf("%w: %d", errTunnelAnswer, answer)
}

// tunnelEnd is a stream of a session as the connection in it sees it.
type tunnelEnd struct{ *yamux.Stream }

// Close ends what waits for the stream, too: by itself a closed stream is read
// until the other side closes.
func (t tunnelEnd) Close() error {
	t.SetDeadline(time.Unix(1, 0))
	return t.Stream.Close()
}

// askTunnel opens a stream that names both ends, and waits for the answer.
func (s *session) askTunnel(ctx context.Context, src, dst territory.HubID) (tunnelEnd, error) {
	stream, err := s.mux.OpenStream()
	if err != nil {
		return tunnelEnd{}, err
	}
	end := tunnelEnd{stream}
	stop := context.AfterFunc(ctx, func() { end.Close() })
	if err = end.ask(src, dst); err == nil && !stop() {
		err = ctx.Err()
	}
	if err != nil {
		stop()
		end.Close()
		return tunnelEnd{}, err
	}
	return end, nil
}

func (t tunnelEnd) ask(src, dst territory.HubID) error {
	var answer [1]byte
	if _, err := t.Write(AppendFrame(nil, Frame{Type: TypeTunnel, Dst: dst, Src: src})); err != nil {
		return err
	}
	if _, err := io.ReadFull(t, answer[:]); err != nil {
		return err
	}
	return tunnelErr(answer[0])
}

// dialThrough connects to a hub over the session that it made itself, or through a
// rendezvous that reaches it: the same TLS between the same two ends as at one of
// its addresses, so who passes it on reads nothing and alters nothing.
func (l *Link) dialThrough(ctx context.Context, hub territory.HubID, alpn string) (*tls.Conn, *meteredConn, error) {
	open := l.rendezvousFor(hub)
	if len(open) == 0 {
		return nil, nil, fmt.Errorf("dial %s: %w", hub, errNoRendezvous)
	}
	var failures []error
	for _, r := range open {
		conn, raw, err := l.dialTunnel(ctx, r, hub, alpn)
		if err == nil {
			return conn, raw, nil
		}
		failures = append(failures, fmt.Errorf("dial %s through %s: %w", hub, r.id, err))
		if ctx.Err() != nil {
			break
		}
		if !errors.Is(err, errTunnelAway) {
			l.blame(r.id)
		}
	}
	return nil, nil, errors.Join(failures...)
}

func (l *Link) dialTunnel(ctx context.Context, r *peer, hub territory.HubID, alpn string) (*tls.Conn, *meteredConn, error) {
	s := r.direct()
	if s == nil {
		return nil, nil, errNoRendezvous
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	end, err := s.askTunnel(ctx, l.self, hub)
	if err != nil {
		return nil, nil, err
	}
	raw := &meteredConn{Conn: end, via: r.id}
	l.charge(raw, hub)
	conn := tls.Client(raw, l.credentials.ClientTLS(l.roster, hub, alpn))
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, err
	}
	return conn, raw, nil
}

// serveTunnel answers a frame of TypeTunnel that came with the session s.
func (l *Link) serveTunnel(stream *yamux.Stream, s *session, peer territory.HubID, f Frame) error {
	what, err := passageOf(f, l.self, peer)
	end := tunnelEnd{stream}
	if err != nil {
		end.Close()
		return err
	}
	end.SetWriteDeadline(time.Now().Add(openTimeout))
	switch roster := l.roster(); {
	case s.through(): // a second hop
		end.refuse(tunnelRefused)
	case !admitted(roster, f.Src) || !admitted(roster, f.Dst): // its session ends within the second
		end.refuse(tunnelAway)
	case what == passOn:
		l.transit.open(l, end, f)
	default:
		l.takeCall(end, peer, f.Src)
	}
	return nil
}

// refuse answers no.
func (t tunnelEnd) refuse(answer byte) {
	t.Write([]byte{answer})
	t.Close()
}

// takeCall answers a hub whose call another one passed on, as if it had called
// by itself. It must be the hub that was announced.
func (l *Link) takeCall(end tunnelEnd, via, caller territory.HubID) {
	if _, err := end.Write([]byte{tunnelOpen}); err != nil {
		end.Close()
		return
	}
	end.SetWriteDeadline(time.Time{})
	config := l.credentials.ServerTLS(l.roster, ALPNSession, ALPNHTTP)
	config.VerifyConnection = func(cs tls.ConnectionState) error { return verifyIs(l.roster(), caller, cs.PeerCertificates) }
	l.greet(&meteredConn{Conn: end, via: via}, config)
}

// altered tells whether a connection ended because what came was not what the
// other end sent, or it says so.
func altered(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Op == "local error" || op.Op == "remote error" // crypto/tls, by an alert
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}
