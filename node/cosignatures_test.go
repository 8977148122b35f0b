package node_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/node"
	"relais/node/journal"
	"relais/node/territory"
)

// cosigner is a national service that cosigns whatever it is shown.
type cosigner struct {
	entry territory.National
	key   ed25519.PrivateKey
}

func newCosigner(t testing.TB) *cosigner {
	t.Helper()
	identity, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(identity.Public())
	if err != nil {
		t.Fatal(err)
	}
	c := &cosigner{entry: territory.National{
		Index: 900, ID: territory.HubIDOf(der), Name: "Service national", Identity: der, URL: "https://127.0.0.1:1",
	}}
	c.turn(t)
	return c
}

// turn gives it another key.
func (c *cosigner) turn(t testing.TB) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.entry.Witness, c.key = public, key
}

// named puts it in a roster.
func (c *cosigner) named(r *territory.Roster) {
	entry := c.entry
	r.National = &entry
}

// answer cosigns a checkpoint of the hub's.
func (c *cosigner) answer(t testing.TB, h *hub, signed []byte, at time.Time) string {
	t.Helper()
	v, err := journal.NewVerifier(journal.Origin("demo", h.Self()), h.Keys().Witness)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := journal.OpenCheckpoint(signed, v)
	if err != nil {
		t.Fatal(err)
	}
	return journal.Cosign(shown, "demo", c.entry.ID, c.key, at).Line
}

// submission is what is due, or fails.
func (h *hub) submission(t testing.TB, held int64, wantDue bool) journal.Submission {
	t.Helper()
	s, due, err := h.Submission(t.Context(), held)
	if err != nil || due != wantDue {
		t.Fatalf("due %v, want %v: %v", due, wantDue, err)
	}
	return s
}

// entries is the number of entries of the hub's journal.
func (h *hub) entries(t testing.TB) int64 {
	t.Helper()
	r, err := node.VerifyFolder(t.Context(), h.Options.Dir)
	if err != nil || !r.OK {
		t.Fatalf("%+v, %v", r, err)
	}
	return r.Entries
}

func (h *hub) control(t testing.TB) {
	t.Helper()
	if err := h.Note(t.Context(), node.JournalEntry{Kind: journal.KindControl, Actor: "machine"}); err != nil {
		t.Fatal(err)
	}
}

// TestSubmission: what is due, and what keeps it from being due again.
func TestSubmission(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	service := newCosigner(t)
	l.enrol(t, service.named)
	seenAt := l.clock.Now().Truncate(time.Second)
	first := h.submission(t, 0, true)
	size := h.entries(t)
	if first.Old != 0 || len(first.Proof) != 0 {
		t.Errorf("%+v", first)
	}
	h.submission(t, size, true) // the service has it, and its word was lost
	if err := h.KeepCosignature(t.Context(), first.Checkpoint, ""); !errors.Is(err, journal.ErrNotCosigned) {
		t.Errorf("no cosignature: %v", err)
	}
	if err := h.KeepCosignature(t.Context(), first.Checkpoint, newCosigner(t).answer(t, h, first.Checkpoint, seenAt)); !errors.Is(err, journal.ErrNotCosigned) {
		t.Errorf("a stranger's: %v", err)
	}
	if err := h.KeepCosignature(t.Context(), first.Checkpoint, service.answer(t, h, first.Checkpoint, seenAt)); err != nil {
		t.Fatal(err)
	}
	h.submission(t, size, false)
	if after := h.entries(t); after != size {
		t.Errorf("it wrote %d entries", after-size)
	}
	for range 5 {
		h.control(t)
	}
	later := h.submission(t, size, true)
	if later.Old != size || len(later.Proof) == 0 {
		t.Errorf("%+v", later)
	}
	if shorter := h.submission(t, size+100, true); shorter.Old != 0 || len(shorter.Proof) != 0 {
		t.Errorf("of a journal that is shorter than was seen: %+v", shorter)
	}
	t.Run("another key of the service asks for another word", func(t *testing.T) {
		now := h.entries(t)
		if err := h.KeepCosignature(t.Context(), later.Checkpoint, service.answer(t, h, later.Checkpoint, seenAt)); err != nil {
			t.Fatal(err)
		}
		service.turn(t)
		l.enrol(t, service.named)
		s := h.submission(t, now, true) // installing a roster is an entry
		if err := h.KeepCosignature(t.Context(), s.Checkpoint, service.answer(t, h, s.Checkpoint, seenAt)); err != nil {
			t.Fatal(err)
		}
		h.submission(t, now+1, false)
	})
	t.Run("a service without a key is asked once", func(t *testing.T) {
		service.entry.Witness = nil
		l.enrol(t, service.named)
		h.submission(t, h.entries(t)-1, true)
		h.submission(t, h.entries(t), false)
	})
}

// TestCheckpointRefused: an alarm, from the first time, until a checkpoint is taken.
func TestCheckpointRefused(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	service := newCosigner(t)
	l.enrol(t, service.named)
	at := l.clock.Now()
	for range 2 {
		if err := h.CheckpointRefused(t.Context(), 1234); err != nil {
			t.Fatal(err)
		}
		l.clock.Advance(time.Hour)
	}
	alarm := func() (node.Alarm, bool) {
		v, err := h.Territory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(v.Alarms, func(a node.Alarm) bool { return a.Key == "journal-refused" })
		if i < 0 {
			return node.Alarm{}, false
		}
		return v.Alarms[i], true
	}
	if a, found := alarm(); !found || !a.At.Equal(at) || !strings.Contains(a.Message, "1234\u00a0lignes") {
		t.Errorf("%+v", a)
	}
	s := h.submission(t, 0, true)
	if err := h.KeepCosignature(t.Context(), s.Checkpoint, service.answer(t, h, s.Checkpoint, at)); err != nil {
		t.Fatal(err)
	}
	if a, found := alarm(); found {
		t.Errorf("still %+v", a)
	}
}

// TestVerifySeen: relais verify says who saw what and when; whatever is changed of
// it is named, and what nobody vouches for is not said.
func TestVerifySeen(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	service := newCosigner(t)
	l.enrol(t, service.named)
	seenAt := l.clock.Now().Truncate(time.Second)
	s := h.submission(t, 0, true)
	if err := h.KeepCosignature(t.Context(), s.Checkpoint, service.answer(t, h, s.Checkpoint, seenAt)); err != nil {
		t.Fatal(err)
	}
	size := h.entries(t)
	h.control(t)
	stranger := newCosigner(t)
	line := service.answer(t, h, s.Checkpoint, seenAt)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(h.Options.Dir, "relais.db")
	for name, tt := range map[string]struct {
		change string
		args   []any
		ok     bool
		seen   int
	}{
		"as it is":           {`SELECT 1`, nil, true, 1},
		"a signature's bit":  {`UPDATE cosignatures SET line = ?`, []any{flipped(line)}, false, 0},
		"oddly written":      {`UPDATE cosignatures SET line = line || ?`, []any{"\n"}, true, 1},
		"another's":          {`UPDATE cosignatures SET line = ?`, []any{stranger.answer(t, h, s.Checkpoint, seenAt)}, true, 0},
		"another witness":    {`UPDATE cosignatures SET witness = ?`, []any{stranger.entry.ID[:]}, true, 0},
		"removed":            {`DELETE FROM cosignatures`, nil, true, 0},
		"a file of before":   {`DROP TABLE cosignatures`, nil, true, 0},
		"of another type":    {`DROP TABLE cosignatures; CREATE TABLE cosignatures (size, witness, at, line); INSERT INTO cosignatures VALUES ('x', 1, 2, 3)`, nil, false, 0},
		"of no entry at all": {`UPDATE cosignatures SET size = size + 1`, nil, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "copy.db")
			copyFile(t, path, copied)
			db, err := sql.Open("sqlite3", "file:"+copied)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(tt.change, tt.args...); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := node.VerifyFolder(t.Context(), copied)
			if err != nil || r.OK != tt.ok || len(r.Seen) != tt.seen {
				t.Fatalf("%+v, %v", r, err)
			}
			if tt.seen > 0 && r.Seen[0] != (node.Sighted{By: "Service national", Entries: size, At: seenAt}) {
				t.Errorf("%+v", r.Seen)
			}
		})
	}
}

// flipped changes a letter of the signature in a line, for another of base64.
func flipped(line string) string {
	b := []byte(line)
	at := bytes.LastIndexByte(b, '=') - 10
	if b[at]++; b[at] != 'B' {
		b[at] = 'A'
	}
	return string(b)
}
