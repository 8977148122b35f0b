package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"relais/node/territory"
)

const (
	// handshakeTimeout bounds an incoming handshake.
	handshakeTimeout = 10 * time.Second
	// handshakesAtOnce bounds the strangers waited for at one time.
	handshakesAtOnce = 64
)

// accept answers until the listener closes.
func (l *Link) accept() {
	slots := make(chan struct{}, handshakesAtOnce)
	for {
		conn, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, most likely: it passes
			l.log.Warn("link accept failed", "err", err)
			select {
			case <-l.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		select {
		case slots <- struct{}{}:
			answer := func() {
				defer func() { <-slots }()
				l.greet(&meteredConn{Conn: conn}, l.serverTLS())
			}
			if !l.run(answer) {
				conn.Close()
			}
		default:
			conn.Close()
		}
	}
}

// greet names the caller and hands its connection to the protocol it asked for.
func (l *Link) greet(raw *meteredConn, config *tls.Config) {
	ctx, cancel := context.WithTimeout(l.ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Server(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		l.refusals.Do(func() { l.log.Warn("link refused a caller", "addr", raw.RemoteAddr().String(), "err", err) })
		raw.Close()
		return
	}
	state := conn.ConnectionState()
	if p := state.NegotiatedProtocol; p == ALPNJoin || p == ALPNExpelled {
		l.giveStranger(conn, raw)
		return
	}
	peer, err := nameOf(state.PeerCertificates[0])
	if err != nil || !l.register(raw, peer) {
		raw.Close()
		return
	}
	l.markDates(peer, state)
	switch state.NegotiatedProtocol {
	case ALPNHTTP:
		l.accepted.give(conn)
	case ALPNSession:
		if err := l.serveSession(conn, raw, peer); err != nil {
			l.log.Warn("link session not begun", "peer", peer.String(), "err", err)
			raw.Close()
		}
	default:
		l.log.Warn("link caller speaks neither protocol", "peer", peer.String())
		raw.Close()
	}
}

// charge counts a connection's octets as the peer's, unless a session with that
// same peer carries it, and they are.
func (l *Link) charge(raw *meteredConn, peer territory.HubID) {
	if raw.via != peer {
		raw.charge(l.meterOf(peer))
	}
}

// register counts a verified connection as the peer's until it is closed. It
// refuses when the link is closed or the peer left the roster meanwhile.
func (l *Link) register(raw *meteredConn, peer territory.HubID) bool {
	l.charge(raw, peer)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || !admitted(l.roster(), peer) {
		return false
	}
	l.conns[raw] = peer
	forget := func() {
		l.mu.Lock()
		delete(l.conns, raw)
		l.mu.Unlock()
	}
	raw.closed.Store(&forget)
	return true
}
