package gossip

import (
	"net"
	"time"

	"relais/node/territory"
	"relais/sync/link"
)

// Transport is the transport as the benchmark gives it to memberlist's own
// preset.
type Transport struct{ transport }

// NewTransport returns a transport over a link whose receiver the caller is.
func NewTransport(l *link.Link) *Transport { return &Transport{*newTransport(l)} }

// Unanswered counts the streams that wait for memberlist to take them.
func (p *Pool) Unanswered() int { return len(p.transport.streams) }

// KeepSessions makes a territory large from so many hubs on. Call it before Run.
func (p *Pool) KeepSessions(hubs int) { p.keep = hubs }

// CompareEvery makes a hub compare so often. Call it before Run.
func (p *Pool) CompareEvery(d time.Duration) { p.every = d }

// Packet and Stream hand over what the link received.
func (t *Transport) Packet(from territory.HubID, b []byte, at time.Time) { t.packet(from, b, at) }

// Stream hands over a stream.
func (t *Transport) Stream(conn net.Conn) { t.stream(conn) }

// JoinAddress is how memberlist is told to call a hub.
func JoinAddress(hub territory.HubID) string { return joinAddress(hub) }
