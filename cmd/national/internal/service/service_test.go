package service_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/national"
	"relais/sync/national/contracttest"
)

// The contract and what is served are one list.
func TestRoutesAreTheContract(t *testing.T) {
	contract, err := national.Operations()
	check(t, err)
	if diff := cmp.Diff(contract, service.Routes()); diff != "" {
		t.Errorf("in openapi.yaml (-) and served (+):\n%s", diff)
	}
}

func TestOpenRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 1)
		key, err := service.LoadIdentity(g.dir)
		check(t, err)
		o := service.Options{Database: g.database.At, Listen: "127.0.0.1:0", Identity: key}

		t.Run("ErrNoTerritory", func(t *testing.T) {
			if _, err := service.Open(t.Context(), o); !errors.Is(err, store.ErrNoTerritory) {
				t.Error(err)
			}
		})
		t.Run("ErrNotInRoster", func(t *testing.T) {
			other := newGround(t, empty(t), 1)
			db, err := store.Open(t.Context(), g.database.At)
			check(t, err)
			check(t, db.InstallRoster(t.Context(), store.Territory{Code: "demo", RootKey: other.rootKey, Version: 1, Note: other.next(t, nil)}, start))
			check(t, db.Close())
			if _, err := service.Open(t.Context(), o); !errors.Is(err, service.ErrNotInRoster) {
				t.Error(err)
			}
		})
	})
}

func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	key, err := service.CreateIdentity(dir)
	check(t, err)
	path := filepath.Join(dir, "identity.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	if again, err := service.LoadIdentity(dir); err != nil || !again.Equal(key) {
		t.Fatalf("read back: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Fatalf("left behind: %v, %v", files, err)
	}
	t.Run("ErrExists", func(t *testing.T) {
		if _, err := service.CreateIdentity(dir); !errors.Is(err, service.ErrExists) {
			t.Error(err)
		}
	})
	t.Run("readable by others", func(t *testing.T) {
		check(t, os.Chmod(path, 0o640))
		if _, err := service.LoadIdentity(dir); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Error(err)
		}
	})
	t.Run("half written", func(t *testing.T) {
		check(t, os.WriteFile(path, []byte("-----BEGIN PRIVATE KEY-----\nMIG"), 0o600))
		check(t, os.Chmod(path, 0o600))
		if _, err := service.LoadIdentity(dir); err == nil {
			t.Error("no error")
		}
	})
}

// client speaks to the service as a hub.
func (g *ground) client(t testing.TB, s *service.Service, hub territory.HubID) *http.Client {
	t.Helper()
	c, err := link.NewCredentials(hub, g.keys[hub], nil)
	check(t, err)
	pool := &http.Transport{
		TLSClientConfig:   c.ClientTLS(func() *territory.Roster { return g.roster }, g.roster.National.ID, "h2"),
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(pool.CloseIdleConnections)
	return &http.Client{Transport: contracttest.Client(t, pool)}
}

func ask(t testing.TB, c *http.Client, s *service.Service, method, path, kind string, body []byte) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.Addr().String()+path, bytes.NewReader(body))
	check(t, err)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	check(t, err)
	return resp.StatusCode, resp.Header, string(text)
}

func TestRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.run(t, service.Limits{})
		c := g.client(t, s, g.hub(0))
		for name, tt := range map[string]struct {
			method, path, kind string
			body               []byte
			status             int
		}{
			"counts":                     {"GET", national.PathCounts, "", nil, 200},
			"roster":                     {"GET", national.PathRoster, "", nil, 200},
			"the same roster again":      {"PUT", national.PathRoster, national.TypeRoster, g.next(t, nil), 204},
			"a forged roster":            {"PUT", national.PathRoster, national.TypeRoster, newGround(t, empty(t), 1).next(t, nil), 422},
			"a roster of another type":   {"PUT", national.PathRoster, "text/plain", g.next(t, nil), 415},
			"an oversized roster":        {"PUT", national.PathRoster, national.TypeRoster, make([]byte, 1<<20+1), 413},
			"an oversized page":          {"POST", "/relais/v1/records", "application/vnd.relais.records", make([]byte, 256<<10+1), 413},
			"a page that is none":        {"POST", "/relais/v1/records", "application/vnd.relais.records", []byte{200, 1}, 422},
			"a vector that is none":      {"POST", "/relais/v1/records/missing", "application/vnd.relais.vector", []byte{1}, 422},
			"a checkpoint that is none":  {"POST", national.PathAddCheckpoint, national.TypeSubmission, []byte("x"), 400},
			"one of another type":        {"POST", national.PathAddCheckpoint, "text/plain", []byte("x"), 415},
			"an oversized checkpoint":    {"POST", national.PathAddCheckpoint, national.TypeSubmission, make([]byte, 8<<10+1), 413},
			"a dossier":                  {"GET", "/relais/v1/dossiers/m_0", "", nil, 404},
			"a method that is not there": {"DELETE", national.PathRoster, "", nil, 405},
			"another path":               {"GET", "/", "", nil, 404},
		} {
			t.Run(name, func(t *testing.T) {
				if status, _, text := ask(t, c, s, tt.method, tt.path, tt.kind, tt.body); status != tt.status {
					t.Errorf("status %d, want %d: %.200s", status, tt.status, text)
				}
			})
		}
	})
}

func TestRosters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.run(t, service.Limits{})
		c := g.client(t, s, g.hub(0))
		old := g.next(t, nil)
		put := func(note []byte) int {
			status, _, _ := ask(t, c, s, "PUT", national.PathRoster, national.TypeRoster, note)
			return status
		}
		if status := put(g.next(t, func(r *territory.Roster) { r.Name = "Autre nom" })); status != 204 || s.Roster().Version != 2 {
			t.Fatalf("a newer roster: %d, now version %d", status, s.Roster().Version)
		}
		if status := put(old); status != 409 || s.Roster().Version != 2 {
			t.Errorf("an older roster: %d, now version %d", status, s.Roster().Version)
		}
		national, hubs := g.roster.National, g.roster.Hubs
		if status := put(g.next(t, func(r *territory.Roster) { r.National = nil })); status != 409 || s.Roster().Version != 2 {
			t.Errorf("a roster without this service: %d, now version %d", status, s.Roster().Version)
		}
		if status := put(g.next(t, func(r *territory.Roster) { r.National, r.Hubs = national, r.Hubs[1:] })); status != 409 || s.Roster().Version != 2 {
			t.Errorf("a roster that forgets a hub: %d, now version %d", status, s.Roster().Version)
		}
		g.roster.Hubs = hubs
		// Expelled by the next one: refused on the connection that stands, and at
		// the handshake of the next.
		expel := g.next(t, func(r *territory.Roster) { r.National = national; r.Hubs[0].State = territory.HubExpelled })
		if status := put(expel); status != 204 {
			t.Fatalf("the roster that expels its bearer: %d", status)
		}
		if status, _, _ := ask(t, c, s, "GET", "/relais/v1/vector", "", nil); status != 403 {
			t.Errorf("on the connection that stands: %d", status)
		}
		if status, _, text := ask(t, g.client(t, s, g.hub(0)), s, "GET", "/relais/v1/vector", "", nil); status != 0 {
			t.Errorf("on a new connection: %d %s", status, text)
		}
		if status, _, text := ask(t, g.client(t, s, g.hub(1)), s, "GET", "/relais/v1/vector", "", nil); status != 200 {
			t.Errorf("the other hub: %d %s", status, text)
		}
	})
}

func TestLimits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.run(t, service.Limits{PerSecond: 0.5, Burst: 2})
		c := g.client(t, s, g.hub(0))
		for i, want := range []int{200, 200, 429} {
			status, header, text := ask(t, c, s, "GET", "/relais/v1/vector", "", nil)
			if status != want {
				t.Fatalf("request %d: %d %s", i, status, text)
			}
			if later := header.Get("Retry-After"); want == 429 && later != "2" {
				t.Errorf("Retry-After %q", later)
			}
		}
		if status, _, text := ask(t, g.client(t, s, g.hub(1)), s, "GET", "/relais/v1/vector", "", nil); status != 200 {
			t.Errorf("the other hub: %d %s", status, text)
		}
	})
}
