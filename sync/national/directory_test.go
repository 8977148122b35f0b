package national_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"relais/node"
	"relais/sync/national"
)

// aidantsConnect answers as the public directory does: 100 a page, no filter, and an
// address that asks for ten things that are not there within a second is shut out.
type aidantsConnect struct {
	mu      sync.Mutex // guards what follows
	entries []map[string]any
	missed  map[string][]time.Time
	blocked map[string]bool
	asked   []string // page numbers, and identifiers, in order
	at      []time.Time
	under   int // requests under way
	most    int
	answer  func(w http.ResponseWriter, page int) bool // true: it answered
}

const (
	directoryPageSize = 100
	blockWindow       = time.Second
	blockThreshold    = 10
)

func newAidantsConnect(t *testing.T, entries int) (*aidantsConnect, national.DirectoryOptions) {
	t.Helper()
	a := &aidantsConnect{missed: map[string][]time.Time{}, blocked: map[string]bool{}}
	for n := range entries {
		a.entries = append(a.entries, organisation(n))
	}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return a, national.DirectoryOptions{URL: server.URL, TLS: &tls.Config{RootCAs: pool}, Pace: time.Millisecond}
}

func organisation(n int) map[string]any {
	return map[string]any{
		"id": fmt.Sprintf("00000000-0000-4000-8000-%012d", n+1), "url": "https://elsewhere.example/", "pivot": 11100000000000 + n,
		"nom": fmt.Sprintf("Structure %d", n), "commune": "Valbrume", "code_postal": "00000", "code_insee": "00001",
		"adresse": "2 place de l’Exemple", "address_complement": "", "service": "Des aidants…",
		"date_de_creation": "2026-01-01T00:00:00Z", "date_de_modification": "2026-01-02T00:00:00Z",
	}
}

func (a *aidantsConnect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.under++
	a.most = max(a.most, a.under)
	defer func() { a.under-- }()
	a.at = append(a.at, time.Now())
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	if a.blocked[ip] {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	id := strings.TrimPrefix(r.URL.Path, national.DirectoryPath)
	page := max(1, number(r.URL.Query().Get("page")))
	a.asked = append(a.asked, cmp.Or(id, strconv.Itoa(page)))
	if a.answer != nil && a.answer(w, page) {
		return
	}
	from, to := (page-1)*directoryPageSize, min(page*directoryPageSize, len(a.entries))
	if id != "" || from >= len(a.entries) && page > 1 {
		a.miss(w, ip)
		return
	}
	body := map[string]any{"count": len(a.entries), "next": nil, "previous": nil, "results": a.entries[from:to]}
	if to < len(a.entries) {
		body["next"] = fmt.Sprintf("https://elsewhere.example%s?page=%d", national.DirectoryPath, page+1)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (a *aidantsConnect) miss(w http.ResponseWriter, ip string) {
	now := time.Now()
	a.missed[ip] = append(slices.DeleteFunc(a.missed[ip], func(at time.Time) bool { return now.Sub(at) > blockWindow }), now)
	a.blocked[ip] = len(a.missed[ip]) >= blockThreshold
	http.NotFound(w, nil)
}

// change edits the directory, and forgets what was asked for.
func (a *aidantsConnect) change(edit func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	edit()
	a.asked, a.at = nil, nil
}

func (a *aidantsConnect) wasAsked(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.asked, want) {
		t.Errorf("asked for %v, want %v", a.asked, want)
	}
	if a.most > 1 {
		t.Errorf("%d requests at once", a.most)
	}
	for ip, shut := range a.blocked {
		if shut {
			t.Errorf("our address, %s, was shut out", ip)
		}
	}
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }

// shelf keeps a directory in memory, by the rules of the node's.
type shelf struct {
	c     node.Crawl
	now   func() time.Time
	kept  map[[16]byte]node.DirectoryEntry
	met   map[[16]byte]int64
	whole int64 // the last reading that ended
	fails int   // on the page of this number
}

func newShelf(now func() time.Time) *shelf {
	return &shelf{now: now, kept: map[[16]byte]node.DirectoryEntry{}, met: map[[16]byte]int64{}}
}

func (s *shelf) Crawl(context.Context) (node.Crawl, error) { return s.c, nil }

func (s *shelf) BeginCrawl(context.Context) (node.Crawl, error) {
	s.c = node.Crawl{Number: s.c.Number + 1, Began: s.now()}
	return s.c, nil
}

func (s *shelf) TakeDirectoryPage(_ context.Context, p node.DirectoryPage) (d node.DirectoryChange, err error) {
	if s.fails == p.Number {
		return d, errors.New("the disk is full")
	}
	for _, e := range p.Entries {
		if old, known := s.kept[e.ID]; !known {
			d.Created++
		} else if old != e {
			d.Updated++
		}
		s.kept[e.ID], s.met[e.ID] = e, s.c.Number
	}
	s.c.Page, s.c.Total = p.Number, p.Total
	if !p.Last {
		return d, nil
	}
	s.c.Ended = s.now()
	met := 0
	for _, crawl := range s.met {
		if crawl == s.c.Number {
			met++
		}
	}
	d.Drift = max(met-p.Total, p.Total-met)
	for id, crawl := range s.met {
		if crawl < s.whole && d.Drift == 0 {
			d.Gone++
			delete(s.kept, id)
			delete(s.met, id)
		}
	}
	s.whole = s.c.Number
	return d, nil
}

// reader is an adapter, what it reads into, and its clock.
func reader(t *testing.T, entries int) (a *aidantsConnect, s *shelf, o national.DirectoryOptions, clock *time.Time) {
	t.Helper()
	a, o = newAidantsConnect(t, entries)
	now := start
	clock = &now
	o.Now = func() time.Time { return *clock }
	s = newShelf(o.Now)
	o.Shelf = s
	return a, s, o, clock
}

func directoryPass(t *testing.T, o national.DirectoryOptions) (national.Report, error) {
	t.Helper()
	return national.Pass(t.Context(), national.NewDirectory(o), o.Now)
}

// TestDirectory: the whole directory, a page after the other, at its pace; nothing
// while that is fresh; and the day after, what changed.
func TestDirectory(t *testing.T) {
	a, s, o, clock := reader(t, 250)
	o.Pace = 30 * time.Millisecond
	r, err := directoryPass(t, o)
	if err != nil || r.Created != 250 || r.Updated+r.Deleted+r.Drift != 0 || r.Requests != 3 || r.OctetsIn == 0 || len(s.kept) != 250 {
		t.Fatalf("%+v, %v", r, err)
	}
	a.wasAsked(t, "1", "2", "3")
	for i := 1; i < len(a.at); i++ {
		if gap := a.at[i].Sub(a.at[i-1]); gap < o.Pace {
			t.Errorf("%v between two requests, at least %v", gap, o.Pace)
		}
	}
	*clock = clock.Add(time.Hour)
	a.change(func() {})
	if r, err := directoryPass(t, o); err != nil || r.Requests != 0 || r.Age != time.Hour {
		t.Errorf("an hour later: %+v, %v", r, err)
	}
	*clock = clock.Add(24 * time.Hour)
	a.change(func() {
		changed := organisation(7)
		changed["nom"], changed["date_de_modification"] = "Autre nom", "2026-11-22T00:00:00Z"
		a.entries[7] = changed
		a.entries = append(slices.Delete(a.entries, 20, 50), organisation(900))
	})
	if r, err := directoryPass(t, o); err != nil || r.Created != 1 || r.Updated != 1 || r.Deleted != 0 || r.Drift != 0 {
		t.Errorf("the day after: %+v, %v", r, err)
	}
	*clock = clock.Add(24 * time.Hour)
	if r, err := directoryPass(t, o); err != nil || r.Created+r.Updated != 0 || r.Deleted != 30 || len(s.kept) != 221 {
		t.Errorf("met neither time: %+v, %d kept, %v", r, len(s.kept), err)
	}
	a.wasAsked(t, "1", "2", "3", "1", "2", "3") // thirty are gone, and none was asked for by its identifier
}

// TestDirectoryResumes: a reading that is cut goes on where it was.
func TestDirectoryResumes(t *testing.T) {
	for name, cut := range map[string]func(*aidantsConnect, *shelf) (mend func()){
		"ErrAnswer": func(a *aidantsConnect, _ *shelf) func() {
			a.answer = func(w http.ResponseWriter, page int) bool {
				if page == 2 {
					w.WriteHeader(http.StatusBadGateway)
				}
				return page == 2
			}
			return func() { a.answer = nil }
		},
		"ErrKept": func(_ *aidantsConnect, s *shelf) func() { s.fails = 2; return func() { s.fails = 0 } },
	} {
		t.Run(name, func(t *testing.T) {
			a, s, o, clock := reader(t, 250)
			mend := cut(a, s)
			if r, err := directoryPass(t, o); err == nil || r.Created != 100 {
				t.Fatalf("%+v, %v", r, err)
			}
			mend()
			if r, err := directoryPass(t, o); err != nil || r.Created != 150 || len(s.kept) != 250 {
				t.Errorf("%+v, %v", r, err)
			}
			a.wasAsked(t, "1", "2", "2", "3")
			s.c = node.Crawl{Number: 5, Began: *clock, Page: 1, Total: 250}
			*clock = clock.Add(25 * time.Hour) // too long ago to be gone on with
			a.change(func() {})
			if _, err := directoryPass(t, o); err != nil {
				t.Error(err)
			}
			a.wasAsked(t, "1", "2", "3")
		})
	}
}

// TestDirectoryNotFound: a page that is gone is asked for once, whatever happens; it
// takes many passes, one after the other, and our address is not shut out.
func TestDirectoryNotFound(t *testing.T) {
	a, s, o, _ := reader(t, 250)
	s.fails = 2
	if _, err := directoryPass(t, o); err == nil {
		t.Fatal("it did not stop")
	}
	s.fails = 0
	a.change(func() { a.entries = a.entries[:90] })
	if _, err := directoryPass(t, o); !errors.Is(err, national.ErrMoved) {
		t.Errorf("the list is shorter than it was: %v", err)
	}
	a.wasAsked(t, "2")
	if r, err := directoryPass(t, o); err != nil || r.Drift != 0 || s.c.Total != 90 {
		t.Errorf("read anew: %+v, %v", r, err)
	}
	a.wasAsked(t, "2", "1")
}

// TestBlockListTwin: the same server shuts out who asks for what is not there, so
// the silence above means something.
func TestBlockListTwin(t *testing.T) {
	a, _, o, _ := reader(t, 50)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: o.TLS}}
	for n := range blockThreshold {
		resp, err := client.Get(fmt.Sprintf("%s%s%032d", o.URL, national.DirectoryPath, n))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if _, err := directoryPass(t, o); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("from an address that is shut out: %v", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.blocked) != 1 {
		t.Errorf("%d addresses are shut out", len(a.blocked))
	}
}

// TestDirectoryMoves: entries go while it is read, and two others, pushed to a page
// that was read already, are not met. They are not taken for gone; those that went
// are, the next time.
func TestDirectoryMoves(t *testing.T) {
	a, s, o, clock := reader(t, 150)
	if _, err := directoryPass(t, o); err != nil {
		t.Fatal(err)
	}
	*clock = clock.Add(24 * time.Hour)
	a.change(func() {
		a.answer = func(_ http.ResponseWriter, page int) bool {
			if page == 2 { // the page before is not what it was
				a.entries = slices.Delete(a.entries, 10, 12)
			}
			return false
		}
	})
	if r, err := directoryPass(t, o); err != nil || r.Deleted != 0 || len(s.kept) != 150 {
		t.Errorf("%+v, %d kept, %v", r, len(s.kept), err)
	}
	a.change(func() { a.answer = nil })
	for _, want := range []int{0, 2} {
		*clock = clock.Add(24 * time.Hour)
		if r, err := directoryPass(t, o); err != nil || r.Deleted != want || r.Drift != 0 {
			t.Errorf("read in peace: %+v, %v", r, err)
		}
	}
	for _, e := range a.entries {
		if _, kept := s.kept[uuid.MustParse(e["id"].(string))]; !kept {
			t.Errorf("%s is there, and was taken for gone", e["id"])
		}
	}
}

func TestErrDirectory(t *testing.T) {
	typed := func(kind, body string, status int) func(http.ResponseWriter, int) bool {
		return func(w http.ResponseWriter, _ int) bool {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for name, answer := range map[string]func(http.ResponseWriter, int) bool{
		"ErrForbidden": typed("text/plain", "no", http.StatusForbidden),
		"ErrElsewhere": typed("text/html", "", http.StatusFound),
		"ErrHTML":      typed("text/html", "<p>maintenance", http.StatusOK),
		"ErrJSON":      typed("application/json", "[", http.StatusOK),
		"ErrNoCount":   typed("application/json", `{"results":[]}`, http.StatusOK),
		"ErrTooLong":   typed("application/json", `{"count":1,"results":["`+strings.Repeat("a", 1<<20)+`"]}`, http.StatusOK),
	} {
		t.Run(name, func(t *testing.T) {
			a, s, o, _ := reader(t, 10)
			a.answer = answer
			if _, err := directoryPass(t, o); err == nil || len(s.kept) != 0 {
				t.Errorf("taken: %v", err)
			}
			a.wasAsked(t, "1")
		})
	}
	t.Run("ErrURL", func(t *testing.T) {
		if _, err := directoryPass(t, national.DirectoryOptions{URL: "http://a.example", Now: time.Now}); err == nil {
			t.Error("taken")
		}
	})
}

// TestDirectoryPatience: asked to wait, it waits, and asks for the same page.
func TestDirectoryPatience(t *testing.T) {
	a, _, o, _ := reader(t, 10)
	busy := 2
	a.answer = func(w http.ResponseWriter, _ int) bool {
		if busy--; busy < 0 {
			return false
		}
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	if r, err := directoryPass(t, o); err != nil || r.Created != 10 {
		t.Errorf("%+v, %v", r, err)
	}
	a.wasAsked(t, "1", "1", "1")
}

// TestDirectoryOddEntries: what cannot be taken is set aside, and holds up nothing.
func TestDirectoryOddEntries(t *testing.T) {
	a, s, o, _ := reader(t, 3)
	a.entries[1]["id"] = "../../etc"
	a.entries[2]["nom"] = "CCAS\u202e d’Exemple\n" + strings.Repeat("x", 999)
	r, err := directoryPass(t, o)
	if err != nil || r.Refused != 1 || r.Created != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, e := range s.kept {
		if len([]rune(e.Name)) > 300 || strings.ContainsAny(e.Name, "\u202e\n") || e.SIRET == "" || e.Commune != "Valbrume" {
			t.Errorf("kept as it came: %.60q %+v", e.Name, e)
		}
	}
}
