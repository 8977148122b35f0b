package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/territory"
)

// alarms returns the keys of what the hub complains of.
func alarms(t *testing.T, h *hub) (keys []string) {
	t.Helper()
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range v.Alarms {
		keys = append(keys, a.Key)
		if a.Message == "" || strings.Contains(a.Message, "'") || strings.Contains(a.Message, " jours") {
			t.Errorf("%s: %q", a.Key, a.Message)
		}
	}
	return keys
}

func TestTerritory(t *testing.T) {
	l := newLand(t)
	valbrume, port := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	l.enrol(t)
	now := l.clock.Now()
	valbrume.PeerCompared(port.Self(), now)
	v, err := valbrume.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Alarms) > 0 || v.Roster == nil || v.Freshness.Seen != 2 || len(v.Hubs) != 2 {
		t.Errorf("%+v", v)
	}
	self, other := v.Hubs[0], v.Hubs[1]
	if !self.Self || !self.Connected || other.Self || !other.Connected || !other.Compared.Equal(now) {
		t.Errorf("%+v", v.Hubs)
	}
}

func TestAlarms(t *testing.T) {
	t.Parallel()
	t.Run("no-roster", func(t *testing.T) {
		h := newLand(t).newHub(t, "Valbrume")
		if got := alarms(t, h); !slices.Equal(got, []string{"no-roster"}) {
			t.Errorf("%v", got)
		}
	})
	// Each is raised by one change, and by nothing else.
	for _, c := range []struct {
		key    string
		roster func(*territory.Roster)
		later  time.Duration
		pass   *node.NationalPass
	}{
		{key: "not-listed", roster: func(r *territory.Roster) { r.Hubs, r.Structures = r.Hubs[1:], nil }},
		{key: "expelled", roster: func(r *territory.Roster) { r.Hubs[0].State = territory.HubExpelled }},
		{key: "roster-expires", later: 340 * 24 * time.Hour},
		{key: "roster-expired", later: 366 * 24 * time.Hour},
		{key: "clock", later: -2 * time.Hour},
		{key: "island", later: 20 * time.Minute},
		{key: "national", later: 27 * time.Hour, pass: &node.NationalPass{Err: "connection refused"}},
		{key: "drift", pass: &node.NationalPass{Drift: 2}},
	} {
		t.Run(c.key, func(t *testing.T) {
			l := newLand(t)
			h, port := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
			h.Options.Release = l.clock.Now().Add(-time.Hour)
			h.reopen(t)
			l.enrol(t, withNational(t), func(r *territory.Roster) {
				if c.roster != nil {
					c.roster(r)
				}
			})
			h.PeerCompared(port.Self(), l.clock.Now())
			if c.pass != nil {
				if err := h.RecordNationalPass(t.Context(), node.NationalPass{At: l.clock.Now()}); err != nil {
					t.Fatal(err)
				}
			}
			l.clock.Advance(c.later)
			if c.key != "island" {
				h.PeerCompared(port.Self(), l.clock.Now())
			}
			if c.pass != nil {
				c.pass.At = l.clock.Now()
				if err := h.RecordNationalPass(t.Context(), *c.pass); err != nil {
					t.Fatal(err)
				}
			}
			if got := alarms(t, h); !slices.Equal(got, []string{c.key}) {
				t.Errorf("%v", got)
			}
		})
	}
}

// withNational adds a national service to a roster.
func withNational(t *testing.T) func(*territory.Roster) {
	t.Helper()
	service := newLand(t).newHub(t, "service").Keys()
	return func(r *territory.Roster) {
		r.National = &territory.National{
			Index: 100, ID: service.Hub, Name: "Service national", Identity: service.Identity, URL: "https://localhost:1",
		}
	}
}
