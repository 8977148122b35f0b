package exchange_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link/linktest"
)

// rooted is a memory whose rosters are signed, by roots that follow one another.
type rooted struct {
	*memory
	held  *territory.Roster
	note  []byte
	root  string
	turns [][]byte
}

func (m *rooted) Roster() *territory.Roster { m.mu.Lock(); defer m.mu.Unlock(); return m.held }
func (m *rooted) RosterNote() []byte        { m.mu.Lock(); defer m.mu.Unlock(); return m.note }

func (m *rooted) RosterTurns(context.Context, uint32) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turns, nil
}

func (m *rooted) InstallRoster(_ context.Context, note []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var announced []byte
	if m.held != nil {
		announced = m.held.NextRoot
	}
	r, root, err := territory.OpenNext(note, m.root, announced)
	if err != nil || m.held != nil && r.Version <= m.held.Version {
		return err
	}
	m.held, m.note, m.root = r, note, root
	return nil
}

// rotations signs a first roster, then one by each of n roots that follow.
func rotations(t *testing.T, n int) (first string, notes [][]byte) {
	t.Helper()
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	root, err := territory.NewRoot("test", "Essai", now)
	if err != nil {
		t.Fatal(err)
	}
	first = root.Public()
	r := &territory.Roster{Territory: "test", Name: "Essai", Zone: "Europe/Paris"}
	for i := range n + 1 {
		if i > 0 {
			if root, err = root.Turn(); err != nil {
				t.Fatal(err)
			}
		}
		signed, err := root.Issue(r, now, 400)
		if err != nil {
			t.Fatal(err)
		}
		notes = append(notes, signed)
	}
	return first, notes
}

// startRooted makes a hub that serves a rooted memory and can pull into it.
func startRooted(t *testing.T, terr *linktest.Territory, mem *rooted) (linktest.Hub, *exchange.Client) {
	t.Helper()
	h := linktest.NewHub(t)
	l := terr.Open(t, h, linktest.Options{HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: mem, Rosters: mem})})
	terr.Admit(t, h, l.Addr().String())
	linktest.Run(t, l)
	return h, exchange.NewClient(mem, l.HTTPClient(), nil)
}

// TestSleptThroughRotations: a hub that pinned the first of four roots takes the
// roster of the last by the turns, and not without them.
func TestSleptThroughRotations(t *testing.T) {
	first, notes := rotations(t, 3)
	for _, c := range []struct {
		name  string
		turns [][]byte
		want  uint32 // version held in the end
		err   error
	}{
		{"by the turns", notes[1:], 4, nil},
		{"ErrForged without them", nil, 1, territory.ErrForged},
		{"ErrForged when one is missing", [][]byte{notes[1], notes[3]}, 2, territory.ErrForged},
		{"ErrForged in another order", [][]byte{notes[2], notes[1]}, 1, territory.ErrForged},
	} {
		t.Run(c.name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			server, sleeper := &rooted{memory: newMemory(1), root: first}, &rooted{memory: newMemory(1), root: first}
			for _, note := range notes {
				if err := server.InstallRoster(t.Context(), note); err != nil {
					t.Fatal(err)
				}
			}
			server.turns = c.turns
			server.write(1, 3, 50)
			if err := sleeper.InstallRoster(t.Context(), notes[0]); err != nil {
				t.Fatal(err)
			}
			there, _ := startRooted(t, terr, server)
			_, client := startRooted(t, terr, sleeper)
			done, err := client.PullRecords(t.Context(), there.ID)
			if !errors.Is(err, c.err) || c.err == nil && err != nil || done.Roster != (c.err == nil) {
				t.Errorf("%+v, %v", done, err)
			}
			if got := sleeper.Roster().Version; got != c.want {
				t.Errorf("holds roster %d, want %d", got, c.want)
			}
			if sleeper.count() != 3 {
				t.Errorf("%d records came", sleeper.count())
			}
		})
	}
}

// TestTurnsAreBounded: an answer that is no list, or too long, changes nothing.
func TestTurnsAreBounded(t *testing.T) {
	first, notes := rotations(t, 2)
	for name, body := range map[string][]byte{
		"cut":     notes[1][:3],
		"lying":   binary.BigEndian.AppendUint32(nil, 1<<31),
		"empty":   make([]byte, 4),
		"endless": bytes.Repeat([]byte("x"), 5<<20),
	} {
		t.Run(name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			server, sleeper := &rooted{memory: newMemory(1), root: first}, &rooted{memory: newMemory(1), root: first}
			for _, note := range notes {
				if err := server.InstallRoster(t.Context(), note); err != nil {
					t.Fatal(err)
				}
			}
			if err := sleeper.InstallRoster(t.Context(), notes[0]); err != nil {
				t.Fatal(err)
			}
			serve := exchange.NewHandler(exchange.HandlerOptions{Records: server, Rosters: server})
			h := linktest.NewHub(t)
			l := terr.Open(t, h, linktest.Options{HTTP: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/relais/v1/roster/turns" {
					serve.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/vnd.relais.rosters")
				w.Write(body)
			})})
			terr.Admit(t, h, l.Addr().String())
			linktest.Run(t, l)
			_, client := startRooted(t, terr, sleeper)
			if _, err := client.PullRecords(t.Context(), h.ID); !errors.Is(err, territory.ErrForged) {
				t.Error(err)
			}
			if sleeper.Roster().Version != 1 {
				t.Errorf("holds roster %d", sleeper.Roster().Version)
			}
		})
	}
}

// TestErrTurnsAfter: the question names a version.
func TestErrTurnsAfter(t *testing.T) {
	terr := linktest.NewTerritory()
	server, asker := start(t, terr, newMemory(1)), start(t, terr, newMemory(1))
	resp, err := asker.link.HTTPClient().Get("https://" + server.ID.String() + "/relais/v1/roster/turns?after=x")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnprocessableEntity {
		t.Error(resp.Status)
	}
}
