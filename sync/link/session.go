package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"

	"relais/node/territory"
)

const (
	// keepAlive is how often an idle session is tried; one that does not answer
	// within writeTimeout is dead.
	keepAlive = 30 * time.Second
	// streamsAtOnce bounds the streams a peer may have open.
	streamsAtOnce = 64
	// openTimeout bounds the opening frame of a stream.
	openTimeout = 10 * time.Second
	// retireAfter is how long the loser of two simultaneous dials stays, so that
	// what is under way on it arrives.
	retireAfter = 10 * time.Second
	// sameMoment is how far apart two dials still count as simultaneous.
	sameMoment = 5 * time.Second
)

// session is one yamux session with a peer.
type session struct {
	mux     *yamux.Session
	raw     *meteredConn
	reading *firstError // of those that we dialled
	dialled bool        // by us
	born    time.Time

	mu  sync.Mutex    // guards out
	out *yamux.Stream // our packets; nil until the first
}

// newSession puts yamux on a verified connection.
func (l *Link) newSession(conn net.Conn, raw *meteredConn, dialled bool) (*session, error) {
	config := yamux.DefaultConfig()
	config.KeepAliveInterval = keepAlive
	config.ConnectionWriteTimeout = raw.patience()
	if raw.through() {
		config.KeepAliveInterval = tunnelKeepAlive
	}
	config.StreamOpenTimeout = max(openTimeout, raw.patience())
	config.StreamCloseTimeout = time.Minute
	config.AcceptBacklog = streamsAtOnce
	config.LogOutput = nil
	config.Logger = muxLog{l.log}
	side := yamux.Server
	if dialled {
		side = yamux.Client
	}
	mux, err := side(&wholeFrames{Conn: conn}, config)
	if err != nil {
		return nil, err
	}
	return &session{mux: mux, raw: raw, dialled: dialled, born: time.Now()}, nil
}

// dialSession calls a peer and waits for its first word: in TLS 1.3 the caller
// finishes before the other side has judged its certificate.
func (l *Link) dialSession(ctx context.Context, hub territory.HubID, dial way) (*session, error) {
	conn, raw, err := dial(ctx, hub, ALPNSession)
	if err != nil {
		return nil, err
	}
	reading := &firstError{Conn: conn}
	s, err := l.newSession(reading, raw, true)
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("dial %s: %w", hub, err)
	}
	s.reading = reading
	late := time.AfterFunc(writeTimeout, s.close)
	_, err = s.mux.Ping()
	late.Stop()
	if err != nil {
		s.close()
		l.blame(raw.via)
		if cause := reading.err(); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("dial %s: %w: %w", hub, errRefusedThere, err)
	}
	if !l.register(raw, hub) {
		s.close()
		return nil, fmt.Errorf("dial %s: %w", hub, ErrClosed)
	}
	l.markDates(hub, conn.ConnectionState())
	return s, nil
}

// through tells whether another hub passes the session on.
func (s *session) through() bool { return s.raw.through() }

// close ends the session at once.
func (s *session) close() {
	s.raw.Close() // first, so that yamux has nothing to wait for
	s.mux.Close()
}

// send writes one frame as a packet.
func (s *session) send(frame []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		out, err := s.mux.OpenStream()
		if err != nil {
			return err
		}
		s.out = out
	}
	s.out.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := s.out.Write(frame)
	return err
}

// open opens a stream and announces it.
func (s *session) open(self, peer territory.HubID) (net.Conn, error) {
	stream, err := s.mux.OpenStream()
	if err != nil {
		return nil, err
	}
	stream.SetWriteDeadline(time.Now().Add(openTimeout))
	if _, err := stream.Write(AppendFrame(nil, Frame{Type: TypeStream, Dst: peer, Src: self})); err != nil {
		stream.Close()
		return nil, err
	}
	stream.SetWriteDeadline(time.Time{})
	return stream, nil
}

// firstError remembers why reading ended: a TLS alert says more than what yamux
// makes of it.
type firstError struct {
	net.Conn
	mu    sync.Mutex
	first error
}

func (c *firstError) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		c.mu.Lock()
		if c.first == nil {
			c.first = err
		}
		c.mu.Unlock()
	}
	return n, err
}

func (c *firstError) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}
