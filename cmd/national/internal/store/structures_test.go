package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
)

func listed(n int, name string) store.Structure {
	return store.Structure{ID: [16]byte{byte(n)}, Name: name, SIRET: "11100000000000", Habilitation: "active", Since: "2024-03-12"}
}

// TestReplaceList: each import is what the list is then, and a structure is given
// again only when something of it changed.
func TestReplaceList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		if l, err := db.List(t.Context()); err != nil || l != (store.List{}) {
			t.Errorf("before the first: %+v, %v", l, err)
		}
		if _, err := db.ReplaceList(t.Context(), nil, now); !errors.Is(err, store.ErrEmpty) {
			t.Errorf("an empty list: %v", err)
		}
		a, b, c := listed(1, "CCAS"), listed(2, "Médiathèque"), listed(3, "Maison")
		ended := b
		ended.Habilitation, ended.Since = "ended", "2026-11-01"
		var name [8]byte
		var at int64
		for i, step := range []struct {
			list []store.Structure
			done store.ListChanges
			new  []string // what is given since the step before
		}{
			{[]store.Structure{a, b}, store.ListChanges{Created: 2}, []string{"CCAS", "Médiathèque"}},
			{[]store.Structure{a, b}, store.ListChanges{}, nil},
			{[]store.Structure{b, a, c}, store.ListChanges{Created: 1}, []string{"Maison"}},
			{[]store.Structure{ended, c}, store.ListChanges{Updated: 1, Gone: 1}, []string{"Médiathèque", "CCAS (gone)"}},
			{[]store.Structure{ended, c}, store.ListChanges{}, nil},
			{[]store.Structure{a, ended, c}, store.ListChanges{Created: 1}, []string{"CCAS"}},
		} {
			done, err := db.ReplaceList(t.Context(), step.list, now)
			if err != nil || done != step.done {
				t.Errorf("step %d: %+v, %v, want %+v", i, done, err, step.done)
			}
			found, last, err := db.StructuresAfter(t.Context(), at, 10)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range found {
				text := s.Name
				if s.Gone {
					text += " (gone)"
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(step.new, got); diff != "" {
				t.Errorf("step %d, given since (-want +got):\n%s", i, diff)
			}
			at = last
			l, err := db.List(t.Context())
			if err != nil || l.Head != last || l.There != len(step.list) || i > 0 && l.Name != name {
				t.Errorf("step %d: %+v, %v", i, l, err)
			}
			name = l.Name
		}
	})
}

func TestStructuresAfter(t *testing.T) {
	db := open(t, storetest.SQLite(t))
	var all []store.Structure
	for n := range 25 {
		all = append(all, listed(n+1, fmt.Sprint("Antenne ", n)))
	}
	if _, err := db.ReplaceList(t.Context(), all, now); err != nil {
		t.Fatal(err)
	}
	var got []store.Structure
	for at := int64(0); ; {
		page, last, err := db.StructuresAfter(t.Context(), at, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got, at = append(got, page...), last
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
}
