package territory_test

import (
	"errors"
	"strings"
	"testing"

	"relais/node/territory"
)

func TestFollows(t *testing.T) {
	hub := func(index uint16, name byte) territory.Hub {
		return territory.Hub{Index: index, ID: territory.HubID{name}, State: territory.HubActive}
	}
	national := func(index uint16, name byte) *territory.National {
		return &territory.National{Index: index, ID: territory.HubID{name}}
	}
	before := territory.Roster{Hubs: []territory.Hub{hub(1, 'a'), hub(2, 'b')}, National: national(100, 'n')}
	expelled := hub(2, 'b')
	expelled.State = territory.HubExpelled
	for _, c := range []struct {
		name string
		next territory.Roster
		why  string // "" when it follows
	}{
		{"the same", before, ""},
		{"in another order, one more, one expelled", territory.Roster{Hubs: []territory.Hub{hub(7, 'c'), expelled, hub(1, 'a')}, National: national(100, 'n')}, ""},
		{"without its national service", territory.Roster{Hubs: before.Hubs}, ""},
		{"with another national service", territory.Roster{Hubs: before.Hubs, National: national(101, 'm')}, ""},
		{"hub dropped", territory.Roster{Hubs: before.Hubs[:1], National: before.National}, "no longer listed"},
		{"hub numbered again", territory.Roster{Hubs: []territory.Hub{hub(1, 'a'), hub(3, 'b')}, National: before.National}, "had index 2 and has 3"},
		{"two hubs exchanged", territory.Roster{Hubs: []territory.Hub{hub(2, 'a'), hub(1, 'b')}, National: before.National}, "had index 1 and has 2"},
		{"national service's index to a hub", territory.Roster{Hubs: append([]territory.Hub{hub(100, 'c')}, before.Hubs...)}, "index 100"},
		{"national service's index to another", territory.Roster{Hubs: before.Hubs, National: national(100, 'm')}, "index 100"},
		{"national service numbered again", territory.Roster{Hubs: before.Hubs, National: national(101, 'n')}, "had index 100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.next.Follows(&before)
			if c.why == "" && err != nil || c.why != "" && (!errors.Is(err, territory.ErrNotSuccessor) || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("got %v, want %q", err, c.why)
			}
		})
	}
}
