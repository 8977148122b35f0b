package exchange_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/exchange"
)

// late answers as a peer whose clock shows a date.
type late struct{ date string }

func (l late) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusServiceUnavailable, Body: io.NopCloser(strings.NewReader("")),
		Header: http.Header{"Date": {l.date}},
	}, nil
}

// keeper is a hub that compares clocks.
type keeper struct {
	exchange.Local
	peer  territory.HubID
	ahead time.Duration
	told  int
}

func (k *keeper) PeerClock(peer territory.HubID, ahead time.Duration, _ time.Time) {
	k.peer, k.ahead = peer, ahead
	k.told++
}

func TestPeerClock(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	k := new(keeper)
	peer := territory.HubID{7}
	ask := func(date string) {
		client := exchange.NewClient(k, &http.Client{Transport: late{date}}, func() time.Time { return now })
		if _, err := client.Vector(t.Context(), peer); err == nil {
			t.Error("a refusal is a vector")
		}
	}
	ask(now.Add(-7 * time.Minute).Format(http.TimeFormat))
	if k.peer != peer || k.ahead != 7*time.Minute {
		t.Errorf("%s ahead of %s", k.ahead, k.peer)
	}
	ask("")
	ask("yesterday")
	if k.told != 1 {
		t.Errorf("told %d times", k.told)
	}
}
