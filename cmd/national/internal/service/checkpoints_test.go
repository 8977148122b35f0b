package service_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/journal"
	"relais/node/territory"
	"relais/sync/national"
)

// book is a hub's journal: the hashes of its tree, and its root at each size.
type book struct {
	g      *ground
	hub    territory.HubID
	hashes []tlog.Hash
	roots  []tlog.Hash
}

// book writes a journal of n entries; text tells two histories apart from an entry on.
func (g *ground) book(hub territory.HubID, n, from int, text string) *book {
	b := &book{g: g, hub: hub}
	var tree journal.Tree
	for i := range n {
		entry := fmt.Sprint("entry ", i)
		if i >= from {
			entry += text
		}
		b.roots = append(b.roots, tree.Root())
		b.hashes = append(b.hashes, tree.Append([]byte(entry))...)
	}
	b.roots = append(b.roots, tree.Root())
	return b
}

func (b *book) ReadHashes(indexes []int64) (list []tlog.Hash, err error) {
	for _, i := range indexes {
		list = append(list, b.hashes[i])
	}
	return list, nil
}

// state is a size of the journal, with its root.
func (b *book) state(size int64) journal.Checkpoint {
	return journal.Checkpoint{Origin: journal.Origin("demo", b.hub), Size: size, Root: b.roots[size]}
}

// show is what the hub sends of its journal at a size, to who saw old of it.
func (b *book) show(t testing.TB, old, size int64) journal.Submission {
	t.Helper()
	witness, err := journal.NewWitness(journal.Origin("demo", b.hub), b.g.witness[b.hub])
	check(t, err)
	signed, err := b.state(size).Sign(witness)
	check(t, err)
	proof, err := journal.Prove(old, size, b)
	check(t, err)
	return journal.Submission{Old: old, Proof: proof, Checkpoint: signed}
}

// said reads a service's answer as its hub does.
func (b *book) said(text string, size int64) (journal.Cosignature, error) {
	n := b.g.roster.National
	return journal.OpenCosignature(text, b.state(size), "demo", n.ID, n.Witness)
}

// TestAddCheckpoint: the answers of C2SP's tlog-witness, in the order that a hub
// gives reason for them. What was refused changes nothing of what is held.
func TestAddCheckpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 2)
		s := g.run(t, service.Limits{})
		c := g.client(t, s, g.hub(0))
		mine, other := g.book(g.hub(0), 40, 40, ""), g.book(g.hub(1), 40, 0, "other")
		rewritten := g.book(g.hub(0), 40, 3, "rewritten")
		var first string
		for _, tt := range []struct {
			name   string
			sent   journal.Submission
			status int
			says   string // the size held, or ""
			held   int64  // afterwards
		}{
			{"a proof of nothing", journal.Submission{Proof: []tlog.Hash{{1}}, Checkpoint: mine.show(t, 0, 5).Checkpoint}, 422, "", 0},
			{"a size that was never seen", mine.show(t, 5, 9), 409, "0\n", 0},
			{"the first", mine.show(t, 0, 5), 200, "", 5},
			{"again, by who never heard", mine.show(t, 0, 5), 409, "5\n", 5},
			{"again", mine.show(t, 5, 5), 200, "", 5},
			{"a longer journal", mine.show(t, 5, 17), 200, "", 17},
			{"late, what was seen before", mine.show(t, 5, 5), 409, "17\n", 17},
			{"another hub's", other.show(t, 17, 20), 403, "", 17},
			{"another root at the size", rewritten.show(t, 17, 17), 409, "", 17},
			{"a rewritten past", rewritten.show(t, 17, 30), 422, "", 17},
			{"a proof that is cut", journal.Submission{Old: 17, Proof: mine.show(t, 17, 30).Proof[1:], Checkpoint: mine.show(t, 17, 30).Checkpoint}, 422, "", 17},
			{"an old size above", journal.Submission{Old: 31, Checkpoint: mine.show(t, 17, 30).Checkpoint}, 400, "", 17},
			{"a shorter journal", rewritten.show(t, 0, 12), 409, "17\n", 17},
			{"the true one goes on", mine.show(t, 17, 40), 200, "", 40},
		} {
			t.Run(tt.name, func(t *testing.T) {
				status, header, text := ask(t, c, s, "POST", national.PathAddCheckpoint, national.TypeSubmission, tt.sent.Text())
				if status != tt.status {
					t.Errorf("status %d, want %d: %s", status, tt.status, text)
				}
				if tt.says != "" && (text != tt.says || header.Get("Content-Type") != national.TypeSize) {
					t.Errorf("says %q, %s", text, header.Get("Content-Type"))
				}
				if status == http.StatusOK {
					if _, err := mine.said(text, tt.held); err != nil {
						t.Errorf("cosignature %q: %v", text, err)
					}
				}
				switch tt.name {
				case "the first":
					first = text
				case "again":
					if text != first {
						t.Errorf("said %q first, then %q", first, text)
					}
				}
				if _, _, text := ask(t, c, s, "GET", national.PathCounts, "", nil); !strings.Contains(text, `"checkpoint":`+strconv.FormatInt(tt.held, 10)) {
					t.Errorf("counts: %s", text)
				}
			})
		}
	})
}

// TestContradiction: a hub whose journal was rewritten, or that is shorter than it
// was, is named on the page until it shows the one that was seen; what is merely
// late names nobody.
func TestContradiction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		g := newGround(t, empty(t), 1)
		g.open(t, service.Limits{}).Close()
		at := start
		s := g.beside(t, service.Options{Health: "127.0.0.1:0", Now: func() time.Time { return at }})
		mine, rewritten := g.book(g.hub(0), 40, 40, ""), g.book(g.hub(0), 40, 3, "rewritten")
		for _, tt := range []struct {
			name string
			sent journal.Submission
			want bool
		}{
			{"five", mine.show(t, 0, 5), false},
			{"nine", mine.show(t, 5, 9), false},
			{"late", mine.show(t, 0, 5), false},
			{"rewritten", rewritten.show(t, 9, 20), true},
			{"put right", mine.show(t, 9, 21), false},
			{"shorter", rewritten.show(t, 0, 12), true},
			{"put right again", mine.show(t, 21, 30), false},
			{"another root", rewritten.show(t, 30, 30), true},
		} {
			at = at.Add(time.Minute)
			s.AddCheckpoint(t.Context(), g.hub(0), tt.sent.Text()) // its answers are looked at elsewhere
			page := lookAt(t, s, "/", "localhost")
			text, err := io.ReadAll(page.Body)
			check(t, err)
			page.Body.Close()
			if got := strings.Contains(plain(t, string(text)), "hub 0 journal réécrit"); got != tt.want {
				t.Errorf("%s: said on the page: %v", tt.name, got)
			}
		}
	})
}

// TestNoWitness: a service whose key the roster does not name keeps checkpoints, and
// signs none.
func TestNoWitness(t *testing.T) {
	for name, change := range map[string]func(*territory.Roster){
		"none":    func(r *territory.Roster) { r.National.Witness = nil },
		"another": func(r *territory.Roster) { r.National.Witness = make([]byte, 32) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGround(t, storetest.SQLite(t), 1)
			national := *g.roster.National
			g.roster.National = &national
			change(g.roster)
			s := g.open(t, service.Limits{})
			text, err := s.AddCheckpoint(t.Context(), g.hub(0), g.book(g.hub(0), 9, 9, "").show(t, 0, 9).Text())
			if err != nil || text != "" {
				t.Errorf("%q, %v", text, err)
			}
			if c, err := s.Counts(t.Context(), g.hub(0)); err != nil || c.Checkpoint != 9 {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

// TestWitnessKeyChanges: what was cosigned by the key before is cosigned again.
func TestWitnessKeyChanges(t *testing.T) {
	g := newGround(t, storetest.SQLite(t), 1)
	mine := g.book(g.hub(0), 9, 9, "")
	s := g.open(t, service.Limits{})
	_, err := s.AddCheckpoint(t.Context(), g.hub(0), mine.show(t, 0, 9).Text())
	check(t, err)
	check(t, s.Close())
	_, fresh, err := ed25519.GenerateKey(nil)
	check(t, err)
	renamed := *g.roster.National
	renamed.Witness = fresh.Public().(ed25519.PublicKey)
	g.next(t, func(r *territory.Roster) { r.National = &renamed })
	key, err := service.LoadIdentity(g.dir)
	check(t, err)
	again, err := service.Open(t.Context(), service.Options{Database: g.database.At, Listen: "127.0.0.1:0", Identity: key, Witness: fresh})
	check(t, err)
	defer again.Close()
	check(t, again.InstallRoster(t.Context(), g.next(t, nil)))
	text, err := again.AddCheckpoint(t.Context(), g.hub(0), mine.show(t, 9, 9).Text())
	check(t, err)
	if _, err := mine.said(text, 9); err != nil {
		t.Error(err)
	}
}

// TestInstancesSeeOneJournal: two histories that race at two instances are never
// both cosigned.
func TestInstancesSeeOneJournal(t *testing.T) {
	g, both := pair(t, 1)
	mine, rewritten := g.book(g.hub(0), 60, 60, ""), g.book(g.hub(0), 60, 3, "rewritten")
	_, err := both[0].AddCheckpoint(t.Context(), g.hub(0), mine.show(t, 0, 3).Text())
	check(t, err)
	held := int64(3)
	for size := int64(10); size <= 60; size += 10 {
		var took [2]bool
		var wg sync.WaitGroup
		for i, b := range []*book{mine, rewritten} {
			body := b.show(t, held, size).Text()
			wg.Go(func() {
				_, err := both[i].AddCheckpoint(t.Context(), g.hub(0), body)
				took[i] = err == nil
			})
		}
		wg.Wait()
		if took[0] == took[1] {
			t.Fatalf("at %d entries: %v", size, took)
		}
		if took[1] {
			mine, rewritten = rewritten, mine
		}
		held = size
	}
}

func TestWitnessKey(t *testing.T) {
	dir := t.TempDir()
	if key, err := service.LoadWitness(dir); key != nil || err != nil {
		t.Errorf("where there is none: %v, %v", key, err)
	}
	made, err := service.CreateWitness(dir)
	check(t, err)
	if again, err := service.LoadWitness(dir); err != nil || !bytes.Equal(again, made) {
		t.Errorf("read back: %v", err)
	}
	if _, err := service.CreateWitness(dir); err == nil {
		t.Error("made twice")
	}
}
