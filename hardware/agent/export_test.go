package agent

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// MaxFrame, FrameTimeout and MaxConnections are the bounds that tests go past.
const (
	MaxFrame       = maxFrame
	FrameTimeout   = frameTimeout
	MaxConnections = maxConnections
)

// DialImpatient is Dial with a shorter wait for each call, and a shorter pause.
func DialImpatient(t testing.TB, path string, reasons Reasons, timeout, pause time.Duration) *Client {
	t.Helper()
	c, err := dial(path, reasons, timeout, pause)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Hurry gives a server's operations less time.
func (s *Server) Hurry(timeout time.Duration) { s.timeout = timeout }

// Converse answers a connection that was let in, until it ends.
func (s *Server) Converse(conn net.Conn) { s.converse(context.Background(), conn, 0) }

// ReadRequest reads one message as the server does, and tells what it is.
func ReadRequest(r io.Reader) (verb string, data, digest []byte, err error) {
	var q request
	err = readFrame(r, &q)
	return string(q.Verb), q.Data, q.Digest, err
}

// ReadAnswer reads one message as the client does, and returns what it carries.
func ReadAnswer(r io.Reader, reasons Reasons) (data []byte, err error) {
	var a answer
	if err := readFrame(r, &a); err != nil {
		return nil, err
	}
	return a.Data, reasons.with().err(a)
}
