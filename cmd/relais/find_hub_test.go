package main

import (
	"strings"
	"testing"

	"relais/node/territory"
)

// A hub that was replaced leaves its name to the one in its place: that one is
// meant. Its identifier still names it, as what it is.
func TestFindHub(t *testing.T) {
	gone := territory.Hub{ID: territory.HubID{1}, Name: "Deux", State: territory.HubExpelled}
	here := territory.Hub{ID: territory.HubID{2}, Name: "Deux", State: territory.HubActive}
	r := &territory.Roster{Hubs: []territory.Hub{gone, here}}
	if h, err := findHub(r, "Deux"); err != nil || h.ID != here.ID {
		t.Errorf("%s, %v", h.ID, err)
	}
	if _, err := findHub(r, gone.ID.String()); err == nil || !strings.Contains(err.Error(), "expelled already") {
		t.Errorf("the one that is gone: %v", err)
	}
	if ids, err := findHubs(r, []string{"Deux"}); err != nil || len(ids) != 1 || ids[0] != here.ID {
		t.Errorf("to serve a structure: %v, %v", ids, err)
	}
	if _, err := findHub(r, "Trois"); err == nil {
		t.Error("a hub that nobody knows is found")
	}
}
