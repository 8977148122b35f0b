package link

import (
	"net"
	"sync/atomic"
	"time"

	"relais/node/territory"
)

// writeTimeout bounds one write to the network: a peer that stopped reading is
// let go of rather than waited for.
const writeTimeout = 10 * time.Second

// Octets counts what went over the network with one peer, TLS included and TCP
// not.
type Octets struct {
	In, Out int64
}

// meter is the running count of one peer.
type meter struct {
	in, out atomic.Int64
}

func (m *meter) octets() Octets { return Octets{In: m.in.Load(), Out: m.out.Load()} }

// meteredConn counts the octets of one connection, TCP or a tunnel, for nobody
// until the handshake has named the peer and for that peer from then on, and gives
// every write its deadline. What a tunnel carries counts once more, in the TLS of
// the rendezvous, for the rendezvous.
type meteredConn struct {
	net.Conn
	via    territory.HubID // who passes it on; zero: TCP carries it
	before meter
	peer   atomic.Pointer[meter]
	closed atomic.Pointer[func()] // called at the first Close
}

func (c *meteredConn) Close() error {
	if f := c.closed.Swap(nil); f != nil {
		(*f)()
	}
	return c.Conn.Close()
}

// charge names the peer that the connection's octets are counted for.
func (c *meteredConn) charge(m *meter) {
	c.peer.Store(m)
	m.in.Add(c.before.in.Swap(0))
	m.out.Add(c.before.out.Swap(0))
}

func (c *meteredConn) meter() *meter {
	if m := c.peer.Load(); m != nil {
		return m
	}
	return &c.before
}

// through tells whether another hub passes the connection on.
func (c *meteredConn) through() bool { return !c.via.IsZero() }

// patience bounds one write.
func (c *meteredConn) patience() time.Duration {
	if c.through() {
		return tunnelPatience
	}
	return writeTimeout
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.meter().in.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(c.patience())); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	c.meter().out.Add(int64(n))
	return n, err
}
