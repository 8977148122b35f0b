package gossip

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/memberlist"

	"relais/node/territory"
	"relais/sync/link"
)

const (
	// packetsWaiting and streamsWaiting bound what memberlist has not taken yet.
	packetsWaiting = 1024
	streamsWaiting = 32
	// virtualPort fills memberlist's idea of an address.
	virtualPort = 7443
)

// transport carries memberlist's packets and streams over the link, by hub name.
// Its addresses are virtual, one per name and for ever, so that a hub that moves
// is no conflict.
type transport struct {
	link    *link.Link
	packets chan *memberlist.Packet
	streams chan net.Conn
	over    context.Context // ends with Shutdown
	end     context.CancelFunc
}

var _ memberlist.NodeAwareTransport = (*transport)(nil)

func newTransport(l *link.Link) *transport {
	over, end := context.WithCancel(context.Background())
	return &transport{
		link: l, over: over, end: end,
		packets: make(chan *memberlist.Packet, packetsWaiting),
		streams: make(chan net.Conn, streamsWaiting),
	}
}

// virtualIP is a unique local address (RFC 4193) made from a hub's name.
func virtualIP(hub territory.HubID) net.IP {
	ip := make(net.IP, net.IPv6len)
	ip[0] = 0xfd
	copy(ip[1:], hub[:])
	return ip
}

// joinAddress is how memberlist is told to call a hub.
func joinAddress(hub territory.HubID) string {
	return fmt.Sprintf("%s/[%s]:%d", hub, virtualIP(hub), virtualPort)
}

func parseHub(name string) (territory.HubID, error) {
	var hub territory.HubID
	return hub, hub.UnmarshalText([]byte(name))
}

// packet takes a packet from the link; memberlist's being slow drops it.
func (t *transport) packet(from territory.HubID, payload []byte, at time.Time) {
	select {
	case t.packets <- &memberlist.Packet{Buf: payload, From: &net.UDPAddr{IP: virtualIP(from), Port: virtualPort}, Timestamp: at}:
	default:
	}
}

// stream takes a stream from the link.
func (t *transport) stream(conn net.Conn) {
	select {
	case t.streams <- conn:
	default:
		conn.Close()
	}
}

// FinalAdvertiseAddr implements memberlist.Transport.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return virtualIP(t.link.Self()), virtualPort, nil
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *transport) WriteToAddress(b []byte, to memberlist.Address) (time.Time, error) {
	hub, err := parseHub(to.Name)
	if err != nil {
		return time.Time{}, fmt.Errorf("packet to %s: %w", to.Addr, err)
	}
	return time.Now(), t.link.Send(hub, link.TypePacket, b)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport. The stream ends
// with Shutdown: memberlist waits half a minute for an answer, and a hub that
// stops does not.
func (t *transport) DialAddressTimeout(to memberlist.Address, timeout time.Duration) (net.Conn, error) {
	hub, err := parseHub(to.Name)
	if err != nil {
		return nil, fmt.Errorf("stream to %s: %w", to.Addr, err)
	}
	ctx, cancel := context.WithTimeout(t.over, timeout)
	defer cancel()
	conn, err := t.link.Dial(ctx, hub)
	if err != nil {
		return nil, err
	}
	return &dialled{conn, t.over, context.AfterFunc(t.over, func() { conn.SetDeadline(time.Now()) })}, nil
}

// dialled is a stream that is waited for no longer than the transport works. It is
// not enough to close it: a stream of the link is read until the peer closes too.
type dialled struct {
	net.Conn
	over   context.Context
	forget func() bool
}

func (d *dialled) SetDeadline(at time.Time) error {
	err := d.Conn.SetDeadline(at)
	if d.over.Err() != nil { // or else it is still to come, after this
		err = d.Conn.SetDeadline(time.Now())
	}
	return err
}

func (d *dialled) Close() error {
	d.forget()
	return d.Conn.Close()
}

// WriteTo implements memberlist.Transport; without a name there is nowhere to go.
func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

// DialTimeout implements memberlist.Transport; see WriteTo.
func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// PacketCh implements memberlist.Transport.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh implements memberlist.Transport.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// Shutdown implements memberlist.Transport. The link is not ours to close.
func (t *transport) Shutdown() error {
	t.end()
	return nil
}
