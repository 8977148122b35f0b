package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"relais/node/journal"
	"relais/node/territory"
)

// witness is a hub's witness, the same in every run.
func witness(t testing.TB, seed byte) (*journal.Witness, note.Verifier) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	origin := journal.Origin("demo", territory.HubID{seed})
	w, err := journal.NewWitness(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := journal.NewVerifier(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return w, v
}

func TestCheckpoint(t *testing.T) {
	w, v := witness(t, 1)
	c := journal.Checkpoint{Origin: w.Name(), Size: 42, Root: tlog.RecordHash([]byte("root"))}
	signed, err := c.Sign(w)
	if err != nil {
		t.Fatal(err)
	}
	again, err := journal.OpenCheckpoint(signed, v)
	if err != nil || again != c {
		t.Fatalf("%+v, %v", again, err)
	}
	t.Run("C2SP", func(t *testing.T) {
		// tlog-checkpoint: origin, size, root, an empty line, then signature lines.
		lines := strings.Split(string(signed), "\n")
		if lines[0] != "relais/demo/"+(territory.HubID{1}).String() || lines[1] != "42" || lines[3] != "" ||
			!strings.HasPrefix(lines[4], "— "+lines[0]+" ") || len(lines) != 6 {
			t.Errorf("%q", signed)
		}
	})
	t.Run("another hub's", func(t *testing.T) {
		_, other := witness(t, 2)
		var unverified *note.UnverifiedNoteError
		if _, err := journal.OpenCheckpoint(signed, other); !errors.As(err, &unverified) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("any flipped bit", func(t *testing.T) {
		for i := range signed {
			for bit := range 8 {
				altered := bytes.Clone(signed)
				altered[i] ^= 1 << bit
				if got, err := journal.OpenCheckpoint(altered, v); err == nil {
					t.Errorf("octet %d, bit %d passed: %+v", i, bit, got)
				}
			}
		}
	})
	t.Run("oddly written", func(t *testing.T) {
		for _, text := range []string{
			w.Name() + "\n042\n" + c.Root.String() + "\n",
			w.Name() + "\n+42\n" + c.Root.String() + "\n",
			w.Name() + "\n-1\n" + c.Root.String() + "\n",
			w.Name() + "\n42\n" + c.Root.String() + "\nextension\n",
			w.Name() + "\n42\n",
			"relais/demo/other\n42\n" + c.Root.String() + "\n",
		} {
			signed, err := note.Sign(&note.Note{Text: text}, w)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := journal.OpenCheckpoint(signed, v); err == nil {
				t.Errorf("took %q", text)
			}
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	w, v := witness(f, 1)
	signed, err := journal.Checkpoint{Origin: w.Name(), Size: 1}.Sign(w)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("relais/demo/h\n1\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := journal.OpenCheckpoint(text, v)
		if err != nil {
			return
		}
		// Ed25519 is deterministic: what opens is what Sign writes.
		again, err := c.Sign(w)
		if err != nil || string(again) != string(text) {
			t.Errorf("two texts for %+v: %v", c, err)
		}
	})
}
