package exchange_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link/linktest"
)

func counted(n *atomic.Int64, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h.ServeHTTP(w, r)
	})
}

func newMandate() record.MandateID {
	var m record.MandateID
	rand.Read(m[:])
	return m
}

func TestPull(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	a.mem.write(0, 3000, 200) // three pages
	b.mem.write(1, 10, 200)
	done, err := b.client.Pull(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	if done.New != 3000 || done.Pages < 3 || done.Refused != 0 || b.mem.count() != 3010 {
		t.Errorf("pulled %+v, %d records here", done, b.mem.count())
	}
	if b.mem.compared[a.ID].IsZero() {
		t.Error("the comparison was not noted")
	}
	asked := a.asked.Load()
	before := b.link.Peer(a.ID).Octets
	if done, err = b.client.Pull(t.Context(), a.ID); err != nil || done.New != 0 || done.Pages != 0 {
		t.Errorf("the second pull: %+v, %v", done, err)
	}
	if n := a.asked.Load() - asked; n != 1 {
		t.Errorf("nothing to pull took %d requests", n)
	}
	after := b.link.Peer(a.ID).Octets
	if cost := after.In + after.Out - before.In - before.Out; cost > 1000 {
		t.Errorf("nothing to pull cost %d octets", cost)
	}
}

func TestPullResumes(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	a.mem.write(0, 4000, 250)
	ctx, cancel := context.WithCancel(t.Context())
	client := exchange.NewClient(&cutting{memory: b.mem, after: 2, cut: cancel}, b.link.HTTPClient(), nil)
	if _, err := client.Pull(ctx, a.ID); !errors.Is(err, context.Canceled) {
		t.Fatalf("cut in the middle: %v", err)
	}
	half := b.mem.count()
	if half == 0 || half == 4000 {
		t.Fatalf("%d records after the cut", half)
	}
	done, err := b.client.Pull(t.Context(), a.ID)
	if err != nil || done.New != 4000-half || done.Known != 0 {
		t.Errorf("resumed with %+v, %v; %d were here", done, err, half)
	}
}

// cutting is a memory whose line is cut after some pages.
type cutting struct {
	*memory
	after int
	cut   func()
}

func (c *cutting) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error) {
	if c.after--; c.after == 0 {
		defer c.cut()
	}
	return c.memory.Apply(ctx, wires, from)
}

func TestRosterFirst(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(7)), start(t, terr, newMemory(3))
	a.mem.write(0, 5, 100)
	done, err := b.client.Pull(t.Context(), a.ID)
	if err != nil || !done.Roster || done.New != 5 || b.mem.Roster().Version != 7 {
		t.Errorf("%+v, %v, roster %d", done, err, b.mem.Roster().Version)
	}
	if done, err := a.client.Pull(t.Context(), b.ID); err != nil || done.Roster {
		t.Errorf("an equal roster: %+v, %v", done, err)
	}
}

func TestErrNoProgress(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	a.mem.write(0, 3000, 200)
	b.mem.stubborn = true
	if _, err := b.client.Pull(t.Context(), a.ID); !errors.Is(err, exchange.ErrNoProgress) {
		t.Errorf("pull: %v", err)
	}
	if _, err := a.client.Push(t.Context(), b.ID); !errors.Is(err, exchange.ErrNoProgress) {
		t.Errorf("push: %v", err)
	}
}

func TestPush(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	a.mem.write(0, 3000, 200)
	done, err := a.client.Push(t.Context(), b.ID)
	if err != nil || done.New != 3000 || b.mem.count() != 3000 {
		t.Errorf("pushed %+v, %v; %d there", done, err, b.mem.count())
	}
	if done, err = a.client.Push(t.Context(), b.ID); err != nil || done.Pages != 0 {
		t.Errorf("the second push: %+v, %v", done, err)
	}
}

func TestDossiers(t *testing.T) {
	terr := linktest.NewTerritory()
	desk, bus, kiosk := start(t, terr, newMemory(1)), start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	there, wrong, nowhere := newMandate(), newMandate(), newMandate()
	desk.mem.dossiers[there] = []byte("sealed for the bus")
	desk.mem.dossiers[wrong] = []byte("something else")
	desk.mem.serving[bus.ID] = true
	from := []territory.HubID{linktest.NewHub(t).ID, desk.ID} // the first is nowhere to be found
	wanted := []node.WantedDossier{{Mandate: nowhere, From: from}, {Mandate: wrong, From: from}, {Mandate: there, From: from}}
	bus.mem.wanted, kiosk.mem.wanted = wanted, wanted

	kept, err := bus.client.FetchDossiers(t.Context())
	if kept != 1 || string(bus.mem.dossiers[there]) != "sealed for the bus" {
		t.Errorf("the bus kept %d", kept)
	}
	if err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("a wrong dossier: %v", err)
	}
	if kept, err := kiosk.client.FetchDossiers(t.Context()); kept != 0 || err != nil {
		t.Errorf("a hub that does not serve the structure: %d, %v", kept, err)
	}
}

func TestPuller(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	m := newMandate()
	a.mem.write(0, 100, 100)
	a.mem.dossiers[m], a.mem.serving[b.ID] = []byte("sealed"), true
	b.mem.wanted = []node.WantedDossier{{Mandate: m, From: []territory.HubID{a.ID}}}
	p := exchange.NewPuller(b.client, nil)
	p.Want(linktest.NewHub(t).ID) // nobody: must not hold up the rest
	for range 50 {
		p.Want(a.ID)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	linktest.Eventually(t, 5*time.Second, "the records and the dossier", func() bool {
		b.mem.mu.Lock()
		defer b.mem.mu.Unlock()
		return len(b.mem.logs[0]) == 100 && b.mem.dossiers[m] != nil
	})
	if b.mem.applies != 1 {
		t.Errorf("%d pages applied for one burst of wishes", b.mem.applies)
	}
	m2 := newMandate()
	a.mem.mu.Lock()
	a.mem.dossiers[m2] = []byte("sealed too")
	a.mem.mu.Unlock()
	b.mem.mu.Lock()
	b.mem.wanted = append(b.mem.wanted, node.WantedDossier{Mandate: m2, From: []territory.HubID{a.ID}})
	b.mem.mu.Unlock()
	p.WantDossiers()
	linktest.Eventually(t, 5*time.Second, "the second dossier", func() bool {
		b.mem.mu.Lock()
		defer b.mem.mu.Unlock()
		return b.mem.dossiers[m2] != nil
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

func TestBadRequests(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	const vector, records = "application/vnd.relais.vector", "application/vnd.relais.records"
	for _, c := range []struct {
		name, method, path, kind string
		body                     []byte
		want                     int
	}{
		{"not a vector", "POST", "/relais/v1/records/missing", vector, []byte("no"), 422},
		{"type of a form", "POST", "/relais/v1/records/missing", "application/x-www-form-urlencoded", make([]byte, 20), 415},
		{"no type", "POST", "/relais/v1/records", "", []byte("xx"), 415},
		{"cut page", "POST", "/relais/v1/records", records, []byte{5, 1}, 422},
		{"empty record", "POST", "/relais/v1/records", records, []byte{0}, 422},
		{"page too large", "POST", "/relais/v1/records", records, make([]byte, 256<<10+1), 413},
		{"wrong method", "DELETE", "/relais/v1/records", "", nil, 405},
		{"unknown path", "GET", "/relais/v2/roster", "", nil, 404},
		{"not a mandate", "GET", "/relais/v1/dossiers/h_0", "", nil, 422},
		{"not serving", "GET", "/relais/v1/dossiers/" + newMandate().String(), "", nil, 403},
		{"good", "POST", "/relais/v1/records/missing", vector, make([]byte, 20), 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, "https://"+a.ID.String()+c.path, bytes.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if c.kind != "" {
				req.Header.Set("Content-Type", c.kind)
			}
			resp, err := b.link.HTTPClient().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != c.want {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, c.want, body)
			}
			if kind := resp.Header.Get("Content-Type"); c.want == 422 && kind != "application/problem+json" {
				t.Errorf("the problem is %s", kind)
			}
		})
	}
	if a.mem.count() != 0 {
		t.Error("a bad request left records")
	}
}

func TestPeerThatLies(t *testing.T) { // a member of the roster, gone bad
	terr := linktest.NewTerritory()
	endless := newShelf(1, linktest.NewHub(t))
	mem := newMemory(1)
	mem.roster.Hubs = []territory.Hub{{Index: 1, ID: endless.order[0]}}
	b := start(t, terr, mem)
	for name, answer := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.relais.records")
			for range 1000 {
				w.Write(make([]byte, 1<<10))
			}
		},
		"wrong type": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+b.ID.String()+r.URL.Path, http.StatusTemporaryRedirect)
		},
		"rubbish": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/vnd.relais.records")
			w.Write([]byte{9, 9, 9})
		},
		"refused for ever": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Relais-More", "true")
			w.Header().Set("Content-Type", "application/vnd.relais.records")
			w.Write(record.AppendPage(nil, [][]byte{endless.next(t)}))
		},
		"roster for ever": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Relais-Roster", "4000000000")
			w.Header().Set("Content-Type", "application/vnd.relais.roster")
			w.Write([]byte{0, 0, 0, 9})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := linktest.NewHub(t)
			liar := terr.Open(t, h, linktest.Options{HTTP: answer})
			terr.Admit(t, h, liar.Addr().String())
			linktest.Run(t, liar)
			if done, err := b.client.Pull(t.Context(), h.ID); err == nil {
				t.Errorf("believed: %+v", done)
			}
		})
	}
}

func TestFaultsAsStatus(t *testing.T) {
	for code, want := range map[fault.Code]int{
		fault.Invalid: 422, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409, fault.Stale: 409,
		fault.Limited: 429, fault.Locked: 503, fault.Unavailable: 503, fault.Internal: 500,
	} {
		t.Run(string(code), func(t *testing.T) {
			terr := linktest.NewTerritory()
			a, b := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
			a.mem.failing = fault.Errorf(code, "Le message pour la personne.", "the cause for the log")
			_, err := b.client.Vector(t.Context(), a.ID)
			var p *exchange.Problem
			if !errors.As(err, &p) || p.Status != want {
				t.Fatalf("got %v, want status %d", err, want)
			}
			if strings.Contains(err.Error(), "personne") {
				t.Error("the French message travels")
			}
			if shown := strings.Contains(p.Detail, "the cause"); shown != (want < 500 || want == 503) {
				t.Errorf("the detail is %q", p.Detail)
			}
		})
	}
}
