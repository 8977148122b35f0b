package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/national"
)

// beside opens and runs one more instance over the ground's database, with the
// same identity.
func (g *ground) beside(t testing.TB, o service.Options) *service.Service {
	t.Helper()
	key, err := service.LoadIdentity(g.dir)
	check(t, err)
	o.Database, o.Listen, o.Identity = g.database.At, "127.0.0.1:0", key
	o.Witness, err = service.LoadWitness(g.dir)
	check(t, err)
	s, err := service.Open(t.Context(), o)
	check(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		s.Close()
	})
	return s
}

// pair is two running instances over one database.
func pair(t *testing.T, hubs int) (*ground, [2]*service.Service) {
	t.Helper()
	g := newGround(t, storetest.PostgreSQL(t), hubs)
	return g, [2]*service.Service{g.run(t, service.Limits{}), g.beside(t, service.Options{})}
}

// TestInstancesShareAPass: each request of a hub goes to the other instance than
// the one before, pages up and pages down.
func TestInstancesShareAPass(t *testing.T) {
	g, both := pair(t, 2)
	clients := [2]*http.Client{g.client(t, both[0], g.hub(1)), g.client(t, both[1], g.hub(1))}
	turn := 0
	request := func(method, path, kind string, body []byte) string {
		t.Helper()
		turn++
		status, _, text := ask(t, clients[turn%2], both[turn%2], method, path, kind, body)
		if status != http.StatusOK {
			t.Fatalf("request %d, %s: %d %s", turn, path, status, text)
		}
		return text
	}
	wires := g.pen(g.hub(0)).write(t, 1500) // two pages down
	for page := range slices.Chunk(wires, 500) {
		request("POST", "/relais/v1/records", "application/vnd.relais.records", record.AppendPage(nil, page))
	}
	var got [][]byte
	pages := 0
	for ; len(got) < len(wires); pages++ {
		v, err := vectorOf(t, g, got).MarshalBinary()
		check(t, err)
		page, err := record.ParsePage([]byte(request("POST", "/relais/v1/records/missing", "application/vnd.relais.vector", v)))
		check(t, err)
		if len(page) == 0 {
			t.Fatalf("%d records after %d pages, and no more", len(got), pages)
		}
		got = append(got, page...)
	}
	if !cmp.Equal(got, wires) || pages < 2 {
		t.Errorf("%d records in %d pages", len(got), pages)
	}
	for range 2 {
		if text := request("GET", national.PathCounts, "", nil); !strings.Contains(text, `"records":1500`) {
			t.Error(text)
		}
	}
}

// TestInstancesAgree: the same records, and the two histories of a clone, handed
// to both at once.
func TestInstancesAgree(t *testing.T) {
	g, both := pair(t, 2)
	log := g.pen(g.hub(0))
	common := log.write(t, 20)
	clone := *log
	clone.salt = 9
	all := slices.Concat(common, log.write(t, 15), clone.write(t, 10))
	var done [2]node.Applied
	var wg sync.WaitGroup
	for i, s := range both {
		mine := slices.Clone(all)
		if i == 1 {
			slices.Reverse(mine)
		}
		wg.Go(func() {
			for page := range slices.Chunk(mine, 8) {
				d, err := s.Apply(t.Context(), page, g.hub(1))
				if err != nil {
					t.Errorf("instance %d: %v", i, err)
				}
				done[i].New += d.New
				done[i].Known += d.Known
			}
		})
	}
	wg.Wait()
	if done[0].New+done[1].New != len(all) || done[0].Known+done[1].Known != len(all) {
		t.Errorf("%+v of %d records", done, len(all))
	}
	var vectors [2]record.Vector
	for i, s := range both {
		var err error
		vectors[i], err = s.Vector(t.Context())
		check(t, err)
		page, more, err := both[1-i].Missing(t.Context(), vectors[i], 1<<20)
		check(t, err)
		if len(page) != 0 || more {
			t.Errorf("instance %d lacks %d records of the other's", i, len(page))
		}
	}
	if vectors[0].Entries[0].Seq != vectors[1].Entries[0].Seq {
		t.Errorf("%+v", vectors)
	}
}

// TestInstancesShareTheRoster: what one takes holds at the other at once: a hub
// that joined is let in, one that was expelled is refused on the connection that
// stands, and the root that was announced signs there.
func TestInstancesShareTheRoster(t *testing.T) {
	g, both := pair(t, 2)
	leaving := g.client(t, both[1], g.hub(0))
	if status, _, text := ask(t, leaving, both[1], "GET", "/relais/v1/vector", "", nil); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, text)
	}
	root, err := territory.NewRoot("demo", "Territoire de démonstration", start)
	check(t, err)
	joined := g.newHub(t, 7)
	check(t, both[0].InstallRoster(t.Context(), g.next(t, func(r *territory.Roster) {
		r.Hubs[0].State = territory.HubExpelled
		r.Hubs = append(r.Hubs, joined)
		r.NextRoot = territory.NextRootHash(root.Public())
	})))
	if status, _, text := ask(t, g.client(t, both[1], joined.ID), both[1], "GET", "/relais/v1/vector", "", nil); status != http.StatusOK {
		t.Errorf("a hub that joined: %d %s", status, text)
	}
	if status, _, text := ask(t, leaving, both[1], "GET", "/relais/v1/vector", "", nil); status != http.StatusForbidden {
		t.Errorf("an expelled hub: %d %s", status, text)
	}
	signed, err := root.Issue(g.roster, start, 400)
	check(t, err)
	check(t, both[1].InstallRoster(t.Context(), signed))
	old := *g.roster
	old.Version += 5
	late, err := old.Sign(g.root)
	check(t, err)
	if err := both[0].InstallRoster(t.Context(), late); err == nil || both[0].Roster().Version != g.roster.Version {
		t.Errorf("the old root at the first instance: %v, roster %d", err, both[0].Roster().Version)
	}
}

// TestDatabaseAway: without its database the service says "not now" and when to
// come back, says it on its page, and goes on by itself. Nothing of the DSN is in
// what it answers or logs.
func TestDatabaseAway(t *testing.T) {
	g := newGround(t, storetest.PostgreSQL(t), 1)
	g.open(t, service.Limits{}).Close()
	var log lockedBuffer
	s := g.beside(t, service.Options{Health: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c := g.client(t, s, g.hub(0))
	wires := g.pen(g.hub(0)).write(t, 5)
	push := func() (int, http.Header, string) {
		return ask(t, c, s, "POST", "/relais/v1/records", "application/vnd.relais.records", record.AppendPage(nil, wires))
	}
	if status, _, text := push(); status != http.StatusOK {
		t.Fatalf("before: %d %s", status, text)
	}
	server := storetest.Server(t)
	check(t, server.Stop())
	var said strings.Builder
	for name, hub := range map[string]*http.Client{"a connection that stands": c, "a new one": g.client(t, s, g.hub(0))} {
		status, header, text := ask(t, hub, s, "GET", "/relais/v1/vector", "", nil)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", name, status, header, text)
		}
		said.WriteString(text)
	}
	for _, asked := range []struct{ method, path, kind string }{
		{"GET", national.PathCounts, ""}, {"GET", national.PathStructures, ""}, {"POST", national.PathAddCheckpoint, national.TypeSubmission},
	} {
		body := g.book(g.hub(0), 5, 5, "").show(t, 0, 5).Text()
		status, header, text := ask(t, c, s, asked.method, asked.path, asked.kind, body)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v %s", asked.path, status, header, text)
		}
	}
	status, page := look(t, s, "/", "")
	if status != http.StatusServiceUnavailable || !strings.Contains(page, "ne répond pas") {
		t.Errorf("the page: %d %s", status, page)
	}
	ready, reason := look(t, s, "/readyz", "")
	if live, _ := look(t, s, "/livez", ""); ready != http.StatusServiceUnavailable || live != http.StatusOK {
		t.Errorf("readyz %d, livez %d", ready, live)
	}
	check(t, server.Start())
	if status, _, text := push(); status != http.StatusOK || !strings.Contains(text, `"known":5`) {
		t.Errorf("after: %d %s", status, text)
	}
	if ready, text := look(t, s, "/readyz", ""); ready != http.StatusOK {
		t.Errorf("readyz after: %d %s", ready, text)
	}
	_, secret, _ := strings.Cut(strings.Fields(g.database.DSN)[1], "host=")
	if all := said.String() + page + reason + log.String(); strings.Contains(all, secret) || !strings.Contains(all, store.ErrAway.Error()) {
		t.Errorf("reveals %s, or does not say why: %s", secret, all)
	}
}

// lockedBuffer takes what several goroutines log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// look asks the health address, as a browser that calls it host.
func look(t testing.TB, s *service.Service, path, host string) (int, string) {
	t.Helper()
	resp := lookAt(t, s, path, host)
	defer resp.Body.Close()
	var text bytes.Buffer
	_, err := text.ReadFrom(resp.Body)
	check(t, err)
	return resp.StatusCode, text.String()
}

func lookAt(t testing.TB, s *service.Service, path, host string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.HealthAddr().String()+path, nil)
	check(t, err)
	req.Host = host
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	check(t, err)
	return resp
}
