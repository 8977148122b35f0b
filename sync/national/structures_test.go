package national_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"relais/node"
	"relais/sync/national"
)

// roll is the service's list, a page of two items at a time.
type roll struct {
	name   string   // of the list
	items  []string // JSON
	breaks bool     // once, after good pages
	good   int
}

func (s *roll) cursor(at int) string { return fmt.Sprintf("%s-%d", s.name, at) }

func (s *roll) head() string {
	if s.name == "" {
		return ""
	}
	return s.cursor(len(s.items))
}

func (s *roll) serve(w http.ResponseWriter, r *http.Request) {
	var at int
	after := r.URL.Query().Get("after")
	if after != "" {
		if n, err := fmt.Sscanf(after, s.name+"-%d", &at); n != 1 || err != nil {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusGone)
			fmt.Fprint(w, `{"title":"Gone","status":410}`)
			return
		}
	}
	end := min(at+2, len(s.items))
	page := national.StructurePage{Items: []json.RawMessage{}, Next: s.cursor(end), More: end < len(s.items)}
	for _, item := range s.items[at:end] {
		page.Items = append(page.Items, json.RawMessage(item))
	}
	body, err := json.Marshal(page)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", national.TypeStructures)
	if s.good--; s.good == -1 && s.breaks {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

func item(n int, rest string) string {
	return fmt.Sprintf(`{"id":"00000000-0000-4000-8000-%012d","name":"Structure %d"%s}`, n, n, rest)
}

// TestStructures: the list is followed page after page, asked for when its head
// moved and not otherwise; what cannot be read is set aside and holds up nothing.
func TestStructures(t *testing.T) {
	b := newBench(t, 1)
	b.loose = true
	b.list = roll{name: "a", items: []string{
		item(1, `,"siret":"11100000000000","habilitation":{"state":"active","since":"2024-03-12"}`),
		item(2, `,"siret":"bad"`), item(3, ""), `"nothing like one"`, item(5, ""),
	}}
	r := b.mustPass(t)
	if r.Created != 3 || r.Aside != 2 || r.Requests != 5 || r.Drift != 0 {
		t.Errorf("%+v", r)
	}
	want := node.DirectoryEntry{
		ID: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Name: "Structure 1", SIRET: "11100000000000",
		Habilitation: node.HabilitationActive, Since: "2024-03-12",
	}
	if diff := cmp.Diff(want, b.hub.listed[want.ID]); diff != "" {
		t.Error(diff)
	}
	if b.hub.asides[uuid.MustParse("00000000-0000-4000-8000-000000000002")] != national.AsideSIRET {
		t.Errorf("%v", b.hub.asides)
	}
	t.Run("nothing new is nothing asked", func(t *testing.T) {
		r := b.mustPass(t)
		if r.Requests != 2 || r.OctetsIn+r.OctetsOut > 4000 || r.Aside != 2 || r.Created+r.Updated+r.Deleted != 0 {
			t.Errorf("%+v", r)
		}
		t.Logf("%+v", r.Wire)
		if said := b.held; said.Structures != 3 || said.Aside != 2 {
			t.Errorf("the hub says %+v", said)
		}
	})
	t.Run("what changed is all that is asked for", func(t *testing.T) {
		b.list.items = append(b.list.items, item(2, ""), `{"id":"00000000-0000-4000-8000-000000000003","gone":true}`)
		if r := b.mustPass(t); r.Requests != 3 || r.Created != 1 || r.Deleted != 1 || r.Aside != 1 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("what is set aside is read again a day later", func(t *testing.T) {
		b.list.items[3] = item(4, "")
		if b.mustPass(t); b.hub.listBegun != 1 {
			t.Errorf("begun %d times", b.hub.listBegun)
		}
		b.options.Now = func() time.Time { return start.Add(25 * time.Hour) }
		// Structure 2 is there twice, badly written and then well.
		if r := b.mustPass(t); b.hub.listBegun != 2 || r.Aside != 0 || len(b.hub.listed) != 4 {
			t.Errorf("begun %d times, %+v, %v", b.hub.listBegun, r, b.hub.listed)
		}
	})
	t.Run("another list is read from its beginning", func(t *testing.T) {
		b.loose = false
		b.list = roll{name: "b", items: []string{item(7, "")}}
		if r := b.mustPass(t); r.Created != 1 || len(b.hub.listed) != 1 || r.Aside != 0 {
			t.Errorf("%+v, %v", r, b.hub.listed)
		}
	})
	t.Run("no list is no question", func(t *testing.T) {
		b.list = roll{}
		if r := b.mustPass(t); r.Requests != 2 || len(b.hub.listed) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// TestStructuresAreResumed: a page that broke off is asked for again by the next
// pass, and only that one.
func TestStructuresAreResumed(t *testing.T) {
	b := newBench(t, 1)
	b.list = roll{name: "a"}
	for n := range 7 {
		b.list.items = append(b.list.items, item(n+1, ""))
	}
	b.list.breaks, b.list.good = true, 2
	if _, err := b.pass(t); err == nil || len(b.hub.listed) != 4 {
		t.Fatalf("%d structures, %v", len(b.hub.listed), err)
	}
	r := b.mustPass(t)
	if len(b.hub.listed) != 7 || r.Created != 3 || b.hub.listBegun != 1 {
		t.Errorf("%+v, %d structures, begun %d times", r, len(b.hub.listed), b.hub.listBegun)
	}
	if asked := slices.DeleteFunc(slices.Clone(b.requests), func(s string) bool { return !strings.HasSuffix(s, national.PathStructures) }); len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
}

// TestErrList: a page that leads nowhere ends the pass, and nothing of it is kept.
func TestErrList(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "<h1>", "no cursor": `{"items":[],"next":"","more":true}`, "a long cursor": `{"items":[],"next":"` + strings.Repeat("x", 65) + `"}`,
		"too many items": `{"items":[` + strings.TrimSuffix(strings.Repeat("1,", 201), ",") + `],"next":"a"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			b.loose = true
			b.list, b.listBody = roll{name: "a", items: []string{item(1, "")}}, body
			b.hub.journal = 3
			if _, err := b.pass(t); err == nil || len(b.hub.listed)+len(b.hub.asides) != 0 || b.hub.cosigned != 3 {
				t.Errorf("kept %v, %v: %v", b.hub.listed, b.hub.asides, err)
			}
		})
	}
}

func TestStructureEntry(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000001"
	for name, tt := range map[string]struct {
		s    national.Structure
		want string
	}{
		"no id":            {national.Structure{Name: "CCAS"}, national.AsideID},
		"an upper-case id": {national.Structure{ID: "0000000A-0000-4000-8000-000000000001", Name: "CCAS"}, national.AsideID},
		"no name":          {national.Structure{ID: id}, national.AsideName},
		"a control":        {national.Structure{ID: id, Name: "CC\x1bAS"}, national.AsideText},
		"a long address":   {national.Structure{ID: id, Name: "CCAS", Address: strings.Repeat("é", 301)}, national.AsideText},
		"a short SIRET":    {national.Structure{ID: id, Name: "CCAS", SIRET: "123"}, national.AsideSIRET},
		"no day":           {national.Structure{ID: id, Name: "CCAS", Habilitation: &national.Habilitation{State: "active", Since: "2024-02-31"}}, national.AsideHabilitation},
		"an unknown state": {national.Structure{ID: id, Name: "CCAS", Habilitation: &national.Habilitation{State: "maybe", Since: "2024-02-01"}}, national.AsideHabilitation},
		"the public one's": {national.Structure{ID: id, Name: "CCAS", Habilitation: &national.Habilitation{Since: "2024-02-01"}}, national.AsideHabilitation},
		"ended":            {national.Structure{ID: id, Name: "CCAS", Habilitation: &national.Habilitation{State: "ended", Since: "2024-02-01"}}, ""},
		"without any":      {national.Structure{ID: id, Name: "CCAS d’Étretat"}, ""},
		"gone":             {national.Structure{ID: id, Gone: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tt.s.Entry()
			if (err == nil) != (tt.want == "") || err != nil && !strings.HasSuffix(err.Error(), ": "+tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
