package node_test

import (
	"testing"
	"time"

	"relais/node"
)

func decided(n int, name string, h node.Habilitation, since string) node.DirectoryEntry {
	return node.DirectoryEntry{ID: [16]byte{byte(n)}, Name: name, SIRET: "11100000000000", Habilitation: h, Since: since}
}

// TestNationalList: followed change by change, from its beginning when it is another;
// a part that was taken is taken once, and what cannot be read holds up nothing.
func TestNationalList(t *testing.T) {
	d := newDesk(t)
	begin := func() {
		t.Helper()
		if _, err := d.BeginNationalList(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	take := func(p node.NationalPage, want node.DirectoryChange) {
		t.Helper()
		if got, err := d.TakeNationalPage(t.Context(), p); err != nil || got != want {
			t.Errorf("page to %q: %+v, %v, want %+v", p.Next, got, err, want)
		}
	}
	stands := func(want node.NationalList) {
		t.Helper()
		l, err := d.NationalList(t.Context())
		l.Began, l.Checked = time.Time{}, time.Time{}
		if err != nil || l != want {
			t.Errorf("%+v, %v, want %+v", l, err, want)
		}
	}
	stands(node.NationalList{})
	if _, err := d.TakeNationalPage(t.Context(), node.NationalPage{Next: "1"}); err == nil {
		t.Error("a page of no list was taken")
	}
	a, b := decided(1, "CCAS", node.HabilitationActive, "2024-03-12"), decided(2, "Maison", node.HabilitationNone, "")
	poison := node.SetAside{Key: [16]byte{3}, Named: true, Reason: "siret"}
	nameless := node.SetAside{Key: [16]byte{9}, Reason: "form"}
	begin()
	first := node.NationalPage{Next: "2", Total: 3, Entries: []node.DirectoryEntry{a}, Aside: []node.SetAside{poison}}
	take(first, node.DirectoryChange{Created: 1})
	take(first, node.DirectoryChange{}) // the answer was lost
	stands(node.NationalList{Cursor: "2", Here: 1, There: 3, Aside: 1})
	if _, err := d.TakeNationalPage(t.Context(), node.NationalPage{After: "1", Next: "3"}); err == nil {
		t.Error("a page that follows none taken was")
	}
	take(node.NationalPage{After: "2", Next: "3", Total: 3, Entries: []node.DirectoryEntry{b}, Aside: []node.SetAside{nameless}, Last: true},
		node.DirectoryChange{Created: 1, Drift: 1, Aside: 2})
	stands(node.NationalList{Cursor: "3", Whole: true, Here: 2, There: 3, Aside: 2})

	t.Run("change by change", func(t *testing.T) {
		ended := a
		ended.Habilitation, ended.Since = node.HabilitationEnded, "2026-11-01"
		take(node.NationalPage{
			After: "3", Next: "6", Total: 2, Last: true, Gone: [][16]byte{b.ID, {77}},
			Entries: []node.DirectoryEntry{ended, decided(3, "Antenne", node.HabilitationActive, "2026-01-02")},
		},
			node.DirectoryChange{Created: 1, Updated: 1, Gone: 1, Aside: 1})
		v, err := d.Habilitation(t.Context(), a.SIRET)
		if err != nil || len(v.Entries) != 2 || v.Entries[1] != ended || !v.National || !v.At.Equal(d.land.clock.Now()) {
			t.Errorf("%+v, %v", v, err)
		}
	})
	t.Run("at its end, nothing but its age changes", func(t *testing.T) {
		d.land.clock.Advance(time.Hour)
		take(node.NationalPage{After: "6", Next: "6", Total: 2, Last: true}, node.DirectoryChange{Aside: 1})
		if v, err := d.Directory(t.Context(), ""); err != nil || !v.At.Equal(d.land.clock.Now()) || v.Entries != 2 || v.Drift != 0 || v.Aside != 1 || !v.National {
			t.Errorf("%+v, %v", v, err)
		}
	})
	t.Run("from its beginning, what is not met is gone, but what is there and unread stays", func(t *testing.T) {
		begin()
		if v, err := d.Habilitation(t.Context(), a.SIRET); err != nil || len(v.Entries) != 2 || !v.National {
			t.Errorf("meanwhile: %+v, %v", v, err)
		}
		take(node.NationalPage{Next: "x", Total: 1, Last: true, Aside: []node.SetAside{{Key: a.ID, Named: true, Reason: "text"}}},
			node.DirectoryChange{Gone: 1, Aside: 1})
		if v, err := d.Habilitation(t.Context(), a.SIRET); err != nil || len(v.Entries) != 1 || v.Entries[0].ID != a.ID {
			t.Errorf("%+v, %v", v, err)
		}
		stands(node.NationalList{Cursor: "x", Whole: true, Here: 1, There: 1, Aside: 1})
	})
	t.Run("the public directory was read since", func(t *testing.T) {
		if _, err := d.BeginCrawl(t.Context()); err != nil {
			t.Fatal(err)
		}
		stands(node.NationalList{})
		if _, err := d.TakeNationalPage(t.Context(), node.NationalPage{After: "x", Next: "y"}); err == nil {
			t.Error("a page of the list was taken into it")
		}
		if v, err := d.Directory(t.Context(), ""); err != nil || v.National || v.Aside != 0 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
