package territory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"relais/node/id"
	"relais/node/nodetest"
	"relais/node/territory"
)

func newcomer(t testing.TB, name string) territory.Hub {
	der := identity(t)
	return territory.Hub{
		ID: territory.HubIDOf(der), Name: name, Identity: der, Witness: make([]byte, 32), Recipient: "age1example",
		HostNames: []string{name + ".example"}, Assurance: territory.AssuranceSoftware,
	}
}

func TestCloneKeepsAll(t *testing.T) {
	r := sample(t)
	r.Extra = territory.Extra{"later": json.RawMessage(`{"a":1}`)}
	r.Hubs[0].Extra = territory.Extra{"later": json.RawMessage(`[2]`)}
	r.Structures[0].Extra = territory.Extra{"later": json.RawMessage(`3`)}
	c, err := r.Clone()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, c); diff != "" {
		t.Errorf("(-original +copy):\n%s", diff)
	}
	c.Hubs[0].HostNames[0], c.Structures[0].Scopes[0] = "x", "x"
	if r.Hubs[0].HostNames[0] == "x" || r.Structures[0].Scopes[0] == "x" {
		t.Error("the copy shares what it holds")
	}
	root := freshRoot(t)
	c, signed := issue(t, root, r)
	if n := bytes.Count(signed, []byte(`"later"`)); n != 3 || len(c.Extra) != 1 {
		t.Errorf("%d of 3 unknown members were signed again", n)
	}
}

func TestEnrol(t *testing.T) {
	r := sample(t)
	h := newcomer(t, "bus")
	h.Index, h.State, h.Cuts = 77, territory.HubExpelled, []territory.Cut{{Incarnation: 1}}
	h.Extra = territory.Extra{"rendezvous": json.RawMessage(`true`)}
	got := r.Enrol(h)
	if got.Index != 2 || got.State != territory.HubActive || got.Cuts != nil || got.Extra != nil {
		t.Errorf("what a newcomer says of itself is signed: %+v", got)
	}
	got.HostNames = []string{"autobus.example"}
	got.Index, got.State = 40, territory.HubExpelled
	r.Hubs[2].Extra = territory.Extra{"later": json.RawMessage(`1`)}
	again := r.Enrol(got)
	if len(r.Hubs) != 3 || again.Index != 2 || again.State != territory.HubActive || again.HostNames[0] != "autobus.example" || len(again.Extra) != 1 {
		t.Errorf("%+v", again)
	}
	gone := r.Hubs[1]
	gone.State, gone.Cuts = territory.HubActive, nil
	if back := r.Enrol(gone); back.State != territory.HubExpelled || len(back.Cuts) != 1 {
		t.Errorf("an expelled hub came back: %+v", back)
	}
}

func TestNextIndex(t *testing.T) {
	r := sample(t)
	r.National.Index = 2
	if got := r.NextIndex(); got != 3 {
		t.Errorf("%d beside the national service", got)
	}
	r.Hubs[1].Index = math.MaxUint16
	h := newcomer(t, "bus")
	r.Enrol(h)
	if err := r.Validate(); err == nil {
		t.Error("where no index is left, one was used again")
	}
	empty := territory.Roster{}
	if got := empty.NextIndex(); got != 1 {
		t.Errorf("the first is %d", got)
	}
}

func TestExpelAndReplace(t *testing.T) {
	r := sample(t)
	cuts := []territory.Cut{{Incarnation: 1, Seq: 5, Hash: make([]byte, 32)}}
	lower := []territory.Cut{{Incarnation: 1, Seq: 900, Hash: make([]byte, 32)}}
	lost := r.Hubs[0].ID
	h := r.Enrol(newcomer(t, "neuf"))
	if err := r.Replace(territory.Replaced{Hub: lost, Cuts: cuts}, h.ID); err != nil {
		t.Fatal(err)
	}
	was, _ := r.Hub(lost)
	s := r.Structures[0]
	if was.State != territory.HubExpelled || !cmp.Equal(was.Cuts, cuts) || len(was.AllNames()) != 0 || was.Addresses != nil || !s.ServedBy(h.ID) || !s.ServedBy(lost) {
		t.Errorf("%+v, %+v", was, s)
	}
	t.Run("ErrExpelled", func(t *testing.T) {
		if err := r.Expel(lost, lower); !errors.Is(err, territory.ErrExpelled) {
			t.Error(err)
		}
	})
	t.Run("an expelled hub keeps its ends", func(t *testing.T) {
		next := r.Enrol(newcomer(t, "autre"))
		if err := r.Replace(territory.Replaced{Hub: lost, Cuts: lower}, next.ID); err != nil {
			t.Fatal(err)
		}
		if was, _ := r.Hub(lost); !cmp.Equal(was.Cuts, cuts) || !r.Structures[0].ServedBy(next.ID) {
			t.Errorf("%+v", was)
		}
	})
	t.Run("ErrNotListed", func(t *testing.T) {
		if err := r.Expel(territory.HubID{1}, nil); !errors.Is(err, territory.ErrNotListed) {
			t.Error(err)
		}
		if err := r.Replace(territory.Replaced{Hub: territory.HubID{1}}, h.ID); !errors.Is(err, territory.ErrNotListed) {
			t.Error(err)
		}
	})
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
}

func TestPutStructure(t *testing.T) {
	r := sample(t)
	first := r.Structures[0]
	made, err := r.PutStructure(territory.Structure{Name: "CCAS", State: territory.StructureOpen})
	if err != nil || made.ID.IsZero() || len(r.Structures) != 2 {
		t.Fatalf("%+v, %v", made, err)
	}
	r.Structures[1].Extra = territory.Extra{"later": json.RawMessage(`1`)}
	made.State = territory.StructureSuspended
	if got, err := r.PutStructure(made); err != nil || len(got.Extra) != 1 || r.Structures[1].State != territory.StructureSuspended {
		t.Errorf("%+v, %v", got, err)
	}
	for name, s := range map[string]territory.Structure{
		"ErrNameTaken": {Name: first.Name}, "ErrNameOfAnother": {ID: made.ID, Name: first.Name},
	} {
		if _, err := r.PutStructure(s); err == nil {
			t.Error(name)
		}
	}
	if _, err := r.PutStructure(territory.Structure{ID: id.Random[territory.StructureID](), Name: "x"}); !errors.Is(err, territory.ErrNotListed) {
		t.Error(err)
	}
}

// TestEditsFollow: after any sequence of edits each roster follows the one before
// it and every earlier one, and no index ever passes to another hub.
func TestPutNational(t *testing.T) {
	r := sample(t)
	r.National = nil
	entry := func(index uint16) territory.National {
		der := identity(t)
		return territory.National{Index: index, ID: territory.HubIDOf(der), Name: "Service", Identity: der, URL: "https://national.example"}
	}
	n, err := r.PutNational(entry(r.Hubs[0].Index)) // taken by a hub
	if err != nil || n.Index == r.Hubs[0].Index || r.National.ID != n.ID {
		t.Fatalf("%+v, %v", n, err)
	}
	r.National.Cuts = []territory.Cut{{Incarnation: 1, Seq: 2, Hash: make([]byte, 32)}}
	moved := n
	moved.Index, moved.URL = 65000, "https://national.example:9443"
	r.National.Witness = make([]byte, 32)
	if got, err := r.PutNational(moved); err != nil || got.Index != n.Index || len(got.Cuts) != 1 || len(got.Witness) != 32 || r.National.URL != moved.URL {
		t.Errorf("another address: %+v, %v", got, err)
	}
	if _, err := r.PutNational(entry(65001)); !errors.Is(err, territory.ErrOtherNational) || r.National.ID != n.ID {
		t.Errorf("a second service: %v", err)
	}
	r.National = nil
	if got, err := r.PutNational(entry(65000)); err != nil || got.Index != 65000 {
		t.Errorf("an index that is free: %+v, %v", got, err)
	}
}

func TestEditsFollow(t *testing.T) {
	pool := make([]territory.Hub, 12)
	for i := range pool {
		pool[i] = newcomer(t, fmt.Sprintf("hub-%d", i))
	}
	root := freshRoot(t)
	base := sample(t)
	base.NextRoot = nil
	rapid.Check(t, func(t *rapid.T) {
		r, err := base.Clone()
		if err != nil {
			t.Fatal(err)
		}
		earlier, owners := []*territory.Roster{base}, map[uint16]territory.HubID{}
		any := func() territory.HubID { return rapid.SampledFrom(pool).Draw(t, "hub").ID }
		for range rapid.IntRange(1, 12).Draw(t, "edits") {
			switch rapid.IntRange(0, 3).Draw(t, "edit") {
			case 0:
				r.Enrol(rapid.SampledFrom(pool).Draw(t, "newcomer"))
			case 1:
				_ = r.Expel(any(), []territory.Cut{{Incarnation: 1, Seq: 1, Hash: make([]byte, 32)}})
			case 2:
				if h, lost := any(), any(); h != lost {
					if _, listed := r.Hub(h); listed {
						_ = r.Replace(territory.Replaced{Hub: lost}, h)
					}
				}
			case 3:
				_, _ = r.PutStructure(territory.Structure{Name: rapid.StringMatching(`[a-z]{4}`).Draw(t, "name"), State: territory.StructureOpen})
			}
			if _, err := root.Issue(r, rootNow, 1); err != nil {
				t.Fatal(err)
			}
			for _, before := range earlier {
				if err := r.Follows(before); err != nil {
					t.Fatal(err)
				}
			}
			for _, h := range r.Hubs {
				if owner, taken := owners[h.Index]; taken && owner != h.ID {
					t.Fatalf("index %d passed from %s to %s", h.Index, owner, h.ID)
				}
				owners[h.Index] = h.ID
			}
			copied, err := r.Clone()
			if err != nil {
				t.Fatal(err)
			}
			earlier = append(earlier, copied)
		}
	})
}

// TestAnnouncedStays: who stole a root cannot announce a key of his own in the
// place of the one that was put aside.
func TestAnnouncedStays(t *testing.T) {
	root := freshRoot(t)
	one, _ := issue(t, root, first(t))
	stolen, err := root.With(freshRoot(t).Next())
	if err != nil {
		t.Fatal(err)
	}
	two, _ := issue(t, stolen, one)
	if err := two.Follows(one); !errors.Is(err, territory.ErrNotSuccessor) {
		t.Errorf("another key is announced: %v", err)
	}
	back, _ := issue(t, turn(t, root), one)
	if err := back.Follows(one); err != nil {
		t.Errorf("the key put aside does not take the territory back: %v", err)
	}
	again, _ := issue(t, root.Without(), one)
	if err := again.Follows(one); err != nil {
		t.Errorf("renewed without the key that follows: %v", err)
	}
}

// TestRosterTooLarge: ten thousand hubs are refused by their size, signed by the
// root or not, before any of them is read; the root does not sign them either.
func TestRosterTooLarge(t *testing.T) {
	r := nodetest.Huge(t, sample(t))
	root, public := newRoot(t)
	if err := r.Validate(); err != nil {
		t.Fatalf("they are to be refused for their size alone: %v", err)
	}
	if _, err := r.Sign(root); err == nil || !strings.Contains(err.Error(), "octets") {
		t.Errorf("signed, or refused for another reason: %v", err)
	}
	signed := nodetest.SignHuge(t, r, root)
	for name, open := range map[string]func() error{
		"OpenRoster": func() error { _, err := territory.OpenRoster(signed, public); return err },
		"OpenNext": func() error {
			_, _, err := territory.OpenNext(signed, freshRoot(t).Public(), territory.NextRootHash(public))
			return err
		},
	} {
		var refusal error
		if cost := testing.AllocsPerRun(1, func() { refusal = open() }); name == "OpenRoster" && cost > 20 {
			t.Errorf("%.0f allocations", cost)
		}
		if want := fmt.Sprintf("roster of %d octets; the limit is %d", len(signed), territory.MaxRosterOctets); refusal == nil || refusal.Error() != want {
			t.Errorf("%s said %v", name, refusal)
		}
	}
}

func TestChangesSince(t *testing.T) {
	before := sample(t)
	for _, c := range []struct {
		name   string
		change func(*territory.Roster)
		want   []territory.Change
	}{
		{"nothing", func(*territory.Roster) {}, []territory.Change{{Kind: territory.ChangeRenewed}}},
		{"name", func(r *territory.Roster) { r.Name = "Autre" }, []territory.Change{{Kind: territory.ChangeName, Name: "Autre"}}},
		{"zone", func(r *territory.Roster) { r.Zone = "Indian/Reunion" }, []territory.Change{{Kind: territory.ChangeName, Name: before.Name}}},
		{"national", func(r *territory.Roster) { r.National = nil }, []territory.Change{{Kind: territory.ChangeNational}}},
		{"hub added", func(r *territory.Roster) { r.Enrol(newcomer(t, "bus")) }, []territory.Change{{Kind: territory.HubAdded, Name: "bus"}}},
		{"hub changed", func(r *territory.Roster) { r.Hubs[0].Addresses = nil }, []territory.Change{{Kind: territory.HubChanged, Name: "Valbrume"}}},
		{"hub expelled", func(r *territory.Roster) { r.Hubs[0].State = territory.HubExpelled }, []territory.Change{{Kind: territory.HubPutOut, Name: "Valbrume"}}},
		{"structure added", func(r *territory.Roster) {
			r.PutStructure(territory.Structure{Name: "CCAS", State: territory.StructureOpen})
		}, []territory.Change{{territory.StructureAdded, "CCAS", territory.StructureOpen}}},
		{"structure changed", func(r *territory.Roster) { r.Structures[0].Address = "1, rue X" }, []territory.Change{{territory.StructureChanged, "France Services", territory.StructureOpen}}},
		{"structure suspended", func(r *territory.Roster) { r.Structures[0].State = territory.StructureSuspended }, []territory.Change{{territory.StructureTurned, "France Services", territory.StructureSuspended}}},
		{"structure removed", func(r *territory.Roster) { r.Structures = nil }, []territory.Change{{territory.StructureRemoved, "France Services", territory.StructureOpen}}},
		{"two", func(r *territory.Roster) { r.Name, r.National = "Autre", nil }, []territory.Change{{Kind: territory.ChangeName, Name: "Autre"}, {Kind: territory.ChangeNational}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			after, err := before.Clone()
			if err != nil {
				t.Fatal(err)
			}
			after.Version++
			c.change(after)
			if diff := cmp.Diff(c.want, after.ChangesSince(before)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if diff := cmp.Diff([]territory.Change{{Kind: territory.ChangeFirst}}, before.ChangesSince(nil)); diff != "" {
		t.Error(diff)
	}
	root := freshRoot(t)
	one, _ := issue(t, root, first(t))
	two, _ := issue(t, turn(t, root), one)
	if diff := cmp.Diff([]territory.Change{{Kind: territory.ChangeRoot}}, two.ChangesSince(one)); diff != "" {
		t.Error(diff)
	}
}
