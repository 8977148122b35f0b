package link

import (
	"encoding/binary"
	"net"
)

const (
	// muxHeader is the header of a yamux frame: version, type, flags, stream, length.
	muxHeader = 12
	// wholeOctets bounds what is copied to be written at once: one record of TLS.
	wholeOctets = 16 << 10
)

// wholeFrames writes the header of a yamux frame with its body. yamux hands them
// over one after the other, and each would be a record of TLS with 22 octets of its
// own, in a tunnel twice over; that is a fifth of what an idle hub sends. It has one
// writer, yamux's loop.
type wholeFrames struct {
	net.Conn
	held []byte // a header whose body is next
}

func (c *wholeFrames) Write(b []byte) (int, error) {
	if len(c.held) == 0 && hasBody(b) {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	if len(c.held) == 0 {
		return c.Conn.Write(b)
	}
	header, body := c.held, b
	c.held = c.held[:0]
	if len(header)+len(body) > wholeOctets {
		if _, err := c.Conn.Write(header); err != nil {
			return 0, err
		}
		return c.Conn.Write(body)
	}
	n, err := c.Conn.Write(append(header, body...))
	return max(n-len(header), 0), err
}

// hasBody tells whether b is the header of a frame of data, its body being next.
func hasBody(b []byte) bool {
	return len(b) == muxHeader && b[0] == 0 && b[1] == 0 && binary.BigEndian.Uint32(b[8:]) > 0
}
