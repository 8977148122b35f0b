package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"relais/node"
)

func listed(n int, name, commune string) node.DirectoryEntry {
	return node.DirectoryEntry{ID: [16]byte{byte(n)}, Name: name, Commune: commune, Postcode: "00000", SIRET: "11100000000000", Modified: "2026-01-02"}
}

// TestDirectory: pages are kept one by one; what neither of two whole readings met
// is gone, and what comes back is there again.
func TestDirectory(t *testing.T) {
	d := newDesk(t)
	a, b, c := listed(1, "CCAS d’Étretat-sur-Exemple", "Étretat"), listed(2, "Médiathèque", "Port-Exemple"), listed(3, "Maison France Services", "Valbrume")
	entries, _ := d.CountEntries(t.Context(), "control")
	read := func(drift int, pages ...[]node.DirectoryEntry) (sum node.DirectoryChange) {
		t.Helper()
		if _, err := d.BeginCrawl(t.Context()); err != nil {
			t.Fatal(err)
		}
		total := drift
		for _, p := range pages {
			total += len(p)
		}
		for i, p := range pages {
			change, err := d.TakeDirectoryPage(t.Context(), node.DirectoryPage{Number: i + 1, Total: total, Entries: p, Last: i == len(pages)-1})
			if err != nil {
				t.Fatal(err)
			}
			sum.Created, sum.Updated = sum.Created+change.Created, sum.Updated+change.Updated
			sum.Gone, sum.Drift = sum.Gone+change.Gone, change.Drift
		}
		return sum
	}
	changed := b
	changed.Modified = "2026-11-20"
	for i, step := range []struct {
		drift int
		pages [][]node.DirectoryEntry
		want  node.DirectoryChange
	}{
		{0, [][]node.DirectoryEntry{{a, b}, {c}}, node.DirectoryChange{Created: 3}},
		{0, [][]node.DirectoryEntry{{a, changed}}, node.DirectoryChange{Updated: 1}},
		{4, [][]node.DirectoryEntry{{a, changed}}, node.DirectoryChange{Drift: 4}},
		{0, [][]node.DirectoryEntry{{a, changed}}, node.DirectoryChange{Gone: 1}},
		{0, [][]node.DirectoryEntry{{a, changed, c}}, node.DirectoryChange{Created: 1}},
	} {
		if got := read(step.drift, step.pages...); got != step.want {
			t.Errorf("reading %d: %+v, want %+v", i+1, got, step.want)
		}
		d.land.clock.Advance(24 * time.Hour)
	}
	if _, err := d.TakeDirectoryPage(t.Context(), node.DirectoryPage{Number: 2}); err == nil {
		t.Error("a page of no reading was taken")
	}
	if after, err := d.CountEntries(t.Context(), "control"); err != nil || after != entries {
		t.Errorf("%d entries of the journal, before %d, %v", after, entries, err)
	}
}

// TestSearchDirectory: by any words of name, commune or postcode, whatever their
// case and accents; what is typed is never a pattern.
func TestSearchDirectory(t *testing.T) {
	d := newDesk(t)
	if v, err := d.Directory(t.Context(), "ccas"); err != nil || !v.At.IsZero() || v.Found != nil {
		t.Errorf("before any reading: %+v, %v", v, err)
	}
	if _, err := d.BeginCrawl(t.Context()); err != nil {
		t.Fatal(err)
	}
	page := node.DirectoryPage{Number: 1, Total: 3, Entries: []node.DirectoryEntry{
		listed(1, "CCAS d’Étretat-sur-Exemple", "Étretat"), listed(2, "Médiathèque", "Port-Exemple"), listed(3, "100 % aidants", "Valbrume"),
	}}
	if _, err := d.TakeDirectoryPage(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if v, err := d.Directory(t.Context(), ""); err != nil || !v.At.IsZero() || v.UnderWay.Page != 1 || v.Found != nil {
		t.Errorf("under way: %+v, %v", v, err)
	}
	page.Last, page.Total = true, 5
	if _, err := d.TakeDirectoryPage(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	for sought, want := range map[string][]byte{
		"etretat": {1}, "ÉTRETAT ccas": {1}, "exemple": {1, 2}, "port-exemple mediatheque": {2}, "00000": {1, 2, 3},
		"Ḿédíathèque": {2}, "%": {3}, "_": nil, "étretat mediatheque": nil, "": nil, "'; DROP TABLE directory --": nil,
	} {
		v, err := d.Directory(t.Context(), sought)
		var got []byte
		for _, e := range v.Found {
			got = append(got, e.ID[0])
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v (%v)", sought, got, want, err)
		}
		if v.Entries != 3 || v.Drift != 2 || !v.At.Equal(d.land.clock.Now()) || v.More {
			t.Errorf("%+v", v)
		}
	}
	if _, err := d.BeginCrawl(t.Context()); err != nil {
		t.Fatal(err)
	}
	many := node.DirectoryPage{Number: 1, Total: 60, Last: true}
	for n := range 60 {
		many.Entries = append(many.Entries, listed(10+n, fmt.Sprint("Antenne ", n), "Valbrume"))
	}
	if _, err := d.TakeDirectoryPage(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	if v, err := d.Directory(t.Context(), "antenne"); err != nil || len(v.Found) != 50 || !v.More {
		t.Errorf("%d found, more %v, %v", len(v.Found), v.More, err)
	}
}
