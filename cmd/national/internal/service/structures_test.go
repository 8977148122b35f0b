package service_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/sync/national"
)

// imports makes the list of the ground's service n structures, in this state.
func (g *ground) imports(t testing.TB, db *store.DB, n int, state string) {
	t.Helper()
	var list []store.Structure
	for i := range n {
		list = append(list, store.Structure{
			ID: [16]byte{1, byte(i >> 8), byte(i)}, Name: fmt.Sprint("Structure ", i), Habilitation: state, Since: "2024-03-12",
		})
	}
	_, err := db.ReplaceList(t.Context(), list, start)
	check(t, err)
}

// TestStructures: pages of 200 by a cursor, whose last is the head that the counts
// give; a cursor of another list begins anew, and one that is none is refused.
func TestStructures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 1)
		g.open(t, service.Limits{}).Close()
		db, err := store.Open(t.Context(), g.database.At)
		check(t, err)
		g.imports(t, db, 450, "active")
		check(t, db.Close())
		s := g.run(t, service.Limits{})
		c := g.client(t, s, g.hub(0))
		get := func(after string) (status int, page national.StructurePage) {
			path := national.PathStructures
			if after != "" {
				path += "?after=" + url.QueryEscape(after)
			}
			status, _, text := ask(t, c, s, "GET", path, "", nil)
			if status == http.StatusOK {
				check(t, json.Unmarshal([]byte(text), &page))
			}
			return status, page
		}
		var after string
		seen := map[string]bool{}
		for pages := 1; ; pages++ {
			status, page := get(after)
			if status != http.StatusOK || len(page.Items) > national.MaxStructures {
				t.Fatalf("page %d: %d, %d items", pages, status, len(page.Items))
			}
			for _, raw := range page.Items {
				var st national.Structure
				check(t, json.Unmarshal(raw, &st))
				if _, err := st.Entry(); err != nil || st.Habilitation.Since != "2024-03-12" {
					t.Errorf("%s: %v", raw, err)
				}
				seen[st.ID] = true
			}
			if after = page.Next; !page.More {
				if pages != 3 || len(seen) != 450 {
					t.Errorf("%d structures in %d pages", len(seen), pages)
				}
				break
			}
		}
		if _, _, text := ask(t, c, s, "GET", national.PathCounts, "", nil); !strings.Contains(text, `"structures":450,"structures_head":"`+after+`"`) {
			t.Errorf("counts: %s, the last cursor %s", text, after)
		}
		if status, page := get(after); status != http.StatusOK || len(page.Items) != 0 || page.Next != after || page.More {
			t.Errorf("at the head: %d, %+v", status, page)
		}
		for name, tt := range map[string]struct {
			after  string
			status int
		}{
			"of another list": {"AAAAAAAAAAAAAAAAAAAAAA", 410}, "none": {"x", 422}, "longer": {after + "AAAA", 422},
			"ahead of the list": {after[:len(after)-1] + "w", 410},
		} {
			if status, _ := get(tt.after); status != tt.status {
				t.Errorf("a cursor %s: %d, want %d", name, status, tt.status)
			}
		}
	})
}

// TestNoList: a service that imported none has no head, and no page.
func TestNoList(t *testing.T) {
	g := newGround(t, storetest.SQLite(t), 1)
	s := g.run(t, service.Limits{})
	c := g.client(t, s, g.hub(0))
	if status, _, text := ask(t, c, s, "GET", national.PathStructures, "", nil); status != http.StatusGone {
		t.Errorf("%d %s", status, text)
	}
	if _, _, text := ask(t, c, s, "GET", national.PathCounts, "", nil); strings.Contains(text, "head") {
		t.Error(text)
	}
}

// FuzzCursor: whatever a hub sends, it is a place within the list or refused, and a
// cursor is written one way.
func FuzzCursor(f *testing.F) {
	l := store.List{Name: [8]byte{1, 2, 3}, Head: 40}
	f.Add(service.CursorOf(l, 7))
	f.Add("AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("")
	f.Fuzz(func(t *testing.T, cursor string) {
		change, err := service.ChangeOf(l, cursor)
		if err == nil && (change < 0 || change > l.Head || cursor != "" && service.CursorOf(l, change) != cursor) {
			t.Errorf("%q is %d", cursor, change)
		}
	})
}
