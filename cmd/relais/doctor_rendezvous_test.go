package main

import (
	"testing"

	"relais/node/territory"
)

// A hub that nobody can call needs two that can be; a name in the configuration
// must be of one.
func TestDoctorOfRendezvous(t *testing.T) {
	other := func(n byte, name string, addresses ...string) territory.Hub {
		return territory.Hub{ID: territory.HubID{n}, Name: name, State: territory.HubActive, Addresses: addresses}
	}
	one, two, mute := other(1, "Port-Exemple", "a.example:7443"), other(2, "le bus", "b.example:7443"), other(3, "la cave")
	out := other(4, "l’ancien", "c.example:7443")
	out.State = territory.HubExpelled
	for name, c := range map[string]struct {
		called bool // this hub has an address
		others []territory.Hub
		names  []string
		want   state
	}{
		"can be called":     {true, []territory.Hub{mute}, nil, ""},
		"alone":             {false, []territory.Hub{out}, nil, ""},
		"two":               {false, []territory.Hub{one, mute, two}, nil, stateOK},
		"one":               {false, []territory.Hub{one, mute, out}, nil, stateAttention},
		"named":             {false, []territory.Hub{one, two}, []string{"Port-Exemple", two.ID.String()}, stateOK},
		"named, called":     {true, []territory.Hub{one}, []string{"Port-Exemple"}, ""},
		"named, unknown":    {true, []territory.Hub{one, two}, []string{"Port-Exempel"}, stateAttention},
		"named, no address": {false, []territory.Hub{one, two, mute}, []string{"la cave"}, stateAttention},
		"named, expelled":   {false, []territory.Hub{one, two, out}, []string{"l’ancien"}, stateAttention},
	} {
		t.Run(name, func(t *testing.T) {
			d := rostered(t)
			d.config.Link.Rendezvous = c.names
			if !c.called {
				d.config.Link.Advertise, d.folder.Roster.Hubs[0].Addresses = nil, nil
			}
			d.folder.Roster.Hubs = append(d.folder.Roster.Hubs, c.others...)
			d.checkRoster()
			mustState(t, d, "rendezvous", c.want)
			mustState(t, d, "entry", stateOK)
		})
	}
}
