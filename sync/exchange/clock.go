package exchange

import (
	"net/http"
	"time"

	"relais/node/territory"
)

// clocks is the part of a hub that compares its clock with its peers'. It is
// asked for apart because the national service's side has none; *node.Node
// satisfies it.
type clocks interface {
	PeerClock(peer territory.HubID, ahead time.Duration, at time.Time)
}

// noteClock tells the hub how far its clock is ahead of the peer's, from the Date
// of an answer: right to a second and a half and the time of the way, where
// minutes matter.
func (c *Client) noteClock(hub territory.HubID, resp *http.Response) {
	local, keeps := c.local.(clocks)
	if !keeps {
		return
	}
	now := c.now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		local.PeerClock(hub, now.Sub(date), now)
	}
}
