package national

import (
	"context"
	"net"
	"sync/atomic"
)

// meter counts what passes on connections.
type meter struct{ out, in, requests atomic.Int64 }

func (m *meter) wire() Wire {
	return Wire{OctetsOut: m.out.Load(), OctetsIn: m.in.Load(), Requests: int(m.requests.Load())}
}

// dial opens a connection whose octets are counted.
func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &meteredConn{Conn: c, meter: m}, nil
}

// meteredConn stands below TLS, so that it sees what the line carries.
type meteredConn struct {
	net.Conn
	meter *meter
}

func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.meter.in.Add(int64(n))
	return n, err
}

func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.meter.out.Add(int64(n))
	return n, err
}
