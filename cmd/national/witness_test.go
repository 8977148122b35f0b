package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/cmd/national/internal/store/storetest"
	"relais/node"
	"relais/node/territory"
)

// verified is what relais verify says of a hub's folder.
func (h *hub) verified(t testing.TB) node.JournalReport {
	t.Helper()
	r, err := node.VerifyFolder(t.Context(), h.options.Dir)
	check(t, err)
	if !r.OK {
		t.Fatalf("the journal does not hold: %+v", r)
	}
	return r
}

func (h *hub) view(t testing.TB) (v node.TerritoryView, alarmed bool) {
	t.Helper()
	v, err := h.Territory(t.Context())
	check(t, err)
	return v, slices.ContainsFunc(v.Alarms, func(a node.Alarm) bool { return a.Key == "journal-refused" })
}

// database copies the hub's database, stopped for it, away or back.
func (h *hub) database(t testing.TB, to, from string) {
	t.Helper()
	h.stop()
	content, err := os.ReadFile(from)
	check(t, err)
	check(t, os.WriteFile(to, content, 0o600))
	h.open(t)
}

// TestCosigned: what a pass shows is cosigned, kept, and verified from outside; an
// older database that is put back is refused, on both sides, until it is the newest
// again.
func TestCosigned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		began := time.Now().Truncate(time.Second)
		d := newDemo(t, empty(t), 1)
		a := d.hubs[0]
		a.take(t, d.author.write(t, 5))
		if r := a.mustPass(t); r.Updated != 1 || r.JournalRefused {
			t.Errorf("first pass: %+v", r)
		}
		r := a.verified(t)
		if len(r.Seen) != 1 || r.Seen[0].Entries != r.Entries || r.Seen[0].By != "Service national" || r.Seen[0].At.Before(began) || r.Seen[0].At.After(time.Now()) {
			t.Errorf("%+v", r)
		}
		if v, alarmed := a.view(t); v.Seen.Entries != r.Entries || !v.Seen.At.Equal(r.Seen[0].At) || alarmed {
			t.Errorf("%+v, alarmed %v", v.Seen, alarmed)
		}
		if r := a.mustPass(t); r.Requests > 2 || r.Updated != 0 {
			t.Errorf("nothing new: %+v", r)
		}
		file := filepath.Join(a.options.Dir, "relais.db")
		backup, newest := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "newest")
		a.database(t, backup, file)
		for range 3 {
			a.take(t, d.author.write(t, 1))
		}
		a.mustPass(t)
		seen := a.verified(t).Seen
		a.database(t, newest, file)

		t.Run("a backup is put back", func(t *testing.T) {
			a.database(t, file, backup)
			for i, name := range []string{"shorter than what was seen", "longer again, and another"} {
				if i == 1 {
					for range 5 {
						a.take(t, d.author.write(t, 1))
					}
				}
				if r := a.mustPass(t); !r.JournalRefused {
					t.Errorf("%s: %+v", name, r)
				}
				if v, alarmed := a.view(t); !alarmed || v.Seen.Held != seen[0].Entries {
					t.Errorf("%s: alarmed %v, %+v", name, alarmed, v.Seen)
				}
				if s := d.status(t); s.Hubs[0].Contradicted.IsZero() || s.Hubs[0].Checkpoint != seen[0].Entries {
					t.Errorf("%s: the service says %+v", name, s.Hubs[0])
				}
			}
			if text := d.command(t, exitOK, "status", "--data", d.data()); !strings.Contains(text, "REWRITTEN") {
				t.Error(text)
			}
		})
		t.Run("the newest is put back", func(t *testing.T) {
			a.database(t, file, newest)
			a.mustPass(t)
			a.take(t, d.author.write(t, 1))
			r := a.mustPass(t)
			if v, alarmed := a.view(t); r.JournalRefused || alarmed || v.Seen.Entries <= seen[0].Entries {
				t.Errorf("%+v, alarmed %v, %+v", r, alarmed, v.Seen)
			}
			if s := d.status(t); !s.Hubs[0].Contradicted.IsZero() {
				t.Errorf("the service says %+v", s.Hubs[0])
			}
		})
	})
}

// TestWitnessKeyIsAdded: a folder of before services had a witness key is given one,
// and the entry with it is taken up; until then nothing is cosigned, and no request
// is made for nothing.
func TestWitnessKeyIsAdded(t *testing.T) {
	d := newDemo(t, storetest.SQLite(t), 1)
	a := d.hubs[0]
	was := *d.roster.National
	d.stop()
	check(t, os.Remove(filepath.Join(d.data(), "witness.key")))
	bare := was
	bare.Witness = nil
	d.roster.National = &bare
	d.install(t, exitOK, d.next(t, func(*territory.Roster) {}))
	d.stop = d.serve(t)
	a.mustPass(t)
	if r := a.mustPass(t); r.Requests > 2 || len(a.verified(t).Seen) != 0 {
		t.Errorf("without a key: %+v", r)
	}
	d.stop()
	entry := d.command(t, exitOK, "init", "--data", d.data(), "--url", was.URL)
	if !strings.Contains(entry, was.ID.String()) || !strings.Contains(entry, `"witness"`) {
		t.Errorf("init says %s", entry)
	}
	d.command(t, exitFailed, "init", "--data", d.data(), "--url", was.URL)
}
