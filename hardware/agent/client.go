package agent

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"relais/hardware/keyring"
)

// callTimeout bounds one call, waiting for its turn included. It is longer than
// the server's, whose answer says more.
const callTimeout = operationTimeout + 5*time.Second

// Client is the other end of a Server. It satisfies keyring.Provider, and is safe
// for concurrent use: one request at a time leaves it.
type Client struct {
	path    string
	reasons Reasons
	timeout time.Duration
	kind    keyring.Kind
	breaker breaker
	turn    chan struct{} // holds one token: the request under way

	mu     sync.Mutex // guards what is below, never over a read or a write
	conn   net.Conn   // nil when there is none; used by whoever has the turn
	closed bool
}

// Dial connects to the agent at a socket's path. Errors: ErrUnreachable,
// ErrRefused and the other ones of this package.
func Dial(path string, reasons Reasons) (*Client, error) {
	return dial(path, reasons, callTimeout, BreakerPause)
}

func dial(path string, reasons Reasons, timeout, pause time.Duration) (*Client, error) {
	c := &Client{path: path, reasons: reasons.with(), timeout: timeout, breaker: breaker{pause: pause}, turn: make(chan struct{}, 1)}
	conn, kind, err := c.connect(time.Now().Add(timeout))
	if err != nil {
		return nil, err
	}
	c.conn, c.kind = conn, kind
	return c, nil
}

// Kind is that of the provider behind the agent.
func (c *Client) Kind() keyring.Kind { return c.kind }

// Wrap has the agent wrap the KEK, which crosses the socket.
func (c *Client) Wrap(kek []byte) ([]byte, error) {
	return c.call(request{Verb: verbWrap, Data: kek})
}

// Unwrap has the agent unwrap the KEK, which crosses the socket. Errors are the
// provider's, and this package's.
func (c *Client) Unwrap(blob []byte) ([]byte, error) {
	return c.call(request{Verb: verbUnwrap, Data: blob})
}

// NewIdentity has the agent make a signing key.
func (c *Client) NewIdentity() ([]byte, error) {
	return c.call(request{Verb: verbNewIdentity})
}

// LoadIdentity returns a key that the agent signs with.
func (c *Client) LoadIdentity(blob []byte) (crypto.Signer, error) {
	spki, err := c.call(request{Verb: verbLoadIdentity, Data: blob})
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("seal agent: load identity: %w", err)
	}
	public, ok := key.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("seal agent: load identity: not a P-256 key")
	}
	return &signer{c, blob, public}, nil
}

// Close leaves the agent, at once: a call under way ends with ErrClosed.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn = nil
	return err
}

// call asks for one operation and returns its data, in time.
func (c *Client) call(r request) ([]byte, error) {
	a, err := c.request(r)
	if err == nil && len(a.Data) == 0 {
		err = fmt.Errorf("%s: %w: an empty answer", r.Verb, ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	return a.Data, nil
}

// request asks for one operation and returns its answer, in time.
func (c *Client) request(r request) (answer, error) {
	begun := time.Now()
	deadline := begun.Add(c.timeout)
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-timer.C:
		return answer{}, fmt.Errorf("seal agent: %s: %w", r.Verb, ErrSilent)
	}
	if err := c.breaker.allows(); err != nil {
		return answer{}, fmt.Errorf("seal agent: %s: %w", r.Verb, err)
	}
	a, err := c.ask(r, deadline)
	if err == nil {
		err = c.reasons.err(a)
	}
	if err != nil {
		c.breaker.note(err)
		return answer{}, fmt.Errorf("%s: %w", r.Verb, err)
	}
	return a, nil
}

// ask carries one request over. When the connection it had turns out to be dead
// (the agent was restarted), it asks again on a fresh one: every verb may be
// asked twice. One that stays silent is not asked twice.
func (c *Client) ask(r request, deadline time.Time) (a answer, err error) {
	conn, err := c.current()
	if err != nil {
		return a, err
	}
	if conn != nil {
		if a, err = c.exchange(conn, r, deadline); err == nil || !lost(err) {
			return a, err
		}
	}
	if conn, err = c.reconnect(deadline); err != nil {
		return a, err
	}
	return c.exchange(conn, r, deadline)
}

func (c *Client) current() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	return c.conn, nil
}

// reconnect makes a connection to an agent that must be the same as before.
func (c *Client) reconnect(deadline time.Time) (net.Conn, error) {
	conn, kind, err := c.connect(deadline)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		err = ErrClosed
	case kind != c.kind:
		err = fmt.Errorf("the seal agent now guards keys by %s, no longer by %s: configure it as it was", kind, c.kind)
	default:
		c.conn = conn
		return conn, nil
	}
	conn.Close()
	return nil, err
}

// connect makes a connection and hears the greeting.
func (c *Client) connect(deadline time.Time) (net.Conn, keyring.Kind, error) {
	conn, err := (&net.Dialer{Deadline: deadline}).Dial("unix", c.path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	conn.SetReadDeadline(deadline)
	var greeting answer
	err = heard(readFrame(conn, &greeting))
	if err == nil {
		err = c.reasons.err(greeting)
	}
	if err == nil && greeting.Kind == "" {
		err = fmt.Errorf("%w: no greeting", ErrMalformed)
	}
	if err != nil {
		conn.Close()
		return nil, "", fmt.Errorf("%s: %w", c.path, err)
	}
	return conn, greeting.Kind, nil
}

// exchange sends a request and reads its answer. After an error nothing says
// which request the next answer would be for, so the connection goes.
func (c *Client) exchange(conn net.Conn, r request, deadline time.Time) (a answer, err error) {
	if err = writeFrame(conn, r, deadline); err == nil {
		conn.SetReadDeadline(deadline)
		err = readFrame(conn, &a)
	}
	if err = heard(err); err == nil {
		return a, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.Close()
	c.conn = nil
	if c.closed {
		return a, ErrClosed
	}
	return a, err
}

// heard says what a connection that gave no message means.
func heard(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrSilent, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// lost tells a connection whose other end is gone from one that is silent, or
// says nonsense.
func lost(err error) bool {
	return !errors.Is(err, ErrSilent) && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrClosed)
}
