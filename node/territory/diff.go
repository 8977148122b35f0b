package territory

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
)

// ChangeKind says what one roster changed of the one before it.
type ChangeKind string

// The kinds of change, the territory's own first.
const (
	ChangeFirst      ChangeKind = "first"   // there was none before
	ChangeRenewed    ChangeKind = "renewed" // nothing but version and dates
	ChangeRoot       ChangeKind = "root"    // another root signs
	ChangeName       ChangeKind = "name"    // the territory's name or zone
	ChangeNational   ChangeKind = "national"
	HubAdded         ChangeKind = "hub-added"
	HubChanged       ChangeKind = "hub-changed"
	HubPutOut        ChangeKind = "hub-expelled"
	StructureAdded   ChangeKind = "structure-added"
	StructureChanged ChangeKind = "structure-changed"
	StructureTurned  ChangeKind = "structure-state"
	StructureRemoved ChangeKind = "structure-removed"
)

// A Change is one line of a roster's history.
type Change struct {
	Kind  ChangeKind
	Name  string         // of the hub or structure
	State StructureState // of a structure, now
}

// ChangesSince lists what r changed of the roster before it; nil: r is the
// first.
func (r *Roster) ChangesSince(before *Roster) []Change {
	if before == nil {
		return []Change{{Kind: ChangeFirst}}
	}
	var list []Change
	if r.Root != before.Root && before.Root != "" {
		list = append(list, Change{Kind: ChangeRoot})
	}
	if r.Name != before.Name || r.Zone != before.Zone {
		list = append(list, Change{Kind: ChangeName, Name: r.Name})
	}
	if !reflect.DeepEqual(r.National, before.National) {
		list = append(list, Change{Kind: ChangeNational})
	}
	list = append(list, r.hubChanges(before)...)
	list = append(list, r.structureChanges(before)...)
	if len(list) == 0 {
		return []Change{{Kind: ChangeRenewed}}
	}
	return list
}

func (r *Roster) hubChanges(before *Roster) (list []Change) {
	for _, h := range r.Hubs {
		was, known := before.Hub(h.ID)
		switch {
		case !known:
			list = append(list, Change{Kind: HubAdded, Name: h.Name})
		case was.State != h.State:
			list = append(list, Change{Kind: HubPutOut, Name: h.Name})
		case !sameJSON(was, h):
			list = append(list, Change{Kind: HubChanged, Name: h.Name})
		}
	}
	return list
}

func (r *Roster) structureChanges(before *Roster) (list []Change) {
	for _, s := range r.Structures {
		was, known := before.Structure(s.ID)
		switch {
		case !known:
			list = append(list, Change{StructureAdded, s.Name, s.State})
		case was.State != s.State:
			list = append(list, Change{StructureTurned, s.Name, s.State})
		case !sameJSON(was, s):
			list = append(list, Change{StructureChanged, s.Name, s.State})
		}
	}
	for _, s := range before.Structures {
		if !slices.ContainsFunc(r.Structures, func(now Structure) bool { return now.ID == s.ID }) {
			list = append(list, Change{StructureRemoved, s.Name, s.State})
		}
	}
	return list
}

// sameJSON compares two members by what is signed of them.
func sameJSON(a, b json.Marshaler) bool {
	x, errA := a.MarshalJSON()
	y, errB := b.MarshalJSON()
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
