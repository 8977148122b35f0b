package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"relais/node/journal"
	"relais/node/territory"
)

var (
	cosigner    = territory.HubID{9}
	cosignerKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))
	seenAt      = time.Date(2026, 11, 25, 7, 58, 12, 345, time.UTC)
)

// sampleCheckpoint is a checkpoint, and as it is signed.
func sampleCheckpoint(t testing.TB) (journal.Checkpoint, []byte, note.Verifier) {
	t.Helper()
	w, v := witness(t, 1)
	c := journal.Checkpoint{Origin: w.Name(), Size: 42, Root: tlog.RecordHash([]byte("root"))}
	signed, err := c.Sign(w)
	if err != nil {
		t.Fatal(err)
	}
	return c, signed, v
}

// openCosignature is OpenCosignature for the sample's cosigner.
func openCosignature(lines string, c journal.Checkpoint) (journal.Cosignature, error) {
	return journal.OpenCosignature(lines, c, "demo", cosigner, cosignerKey.Public().(ed25519.PublicKey))
}

// c2sp verifies cosignatures for x/mod's notes, written from the standard alone.
type c2sp struct {
	name string
	key  ed25519.PublicKey
}

func (v c2sp) Name() string { return v.name }

// tlogSum is the number of a key.
func tlogSum(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:4] }

func (v c2sp) KeyHash() uint32 {
	text, err := note.NewEd25519VerifierKey(v.name, v.key) // name+number+…: of the other kind
	if err != nil {
		panic(err)
	}
	sum := tlogSum(v.name + "\n\x04" + string(v.key))
	if strings.Contains(text, fmt.Sprintf("+%08x+", binary.BigEndian.Uint32(sum))) {
		panic("both kinds of signature have one number")
	}
	return binary.BigEndian.Uint32(sum)
}

func (v c2sp) Verify(msg, sig []byte) bool {
	at := binary.BigEndian.Uint64(sig)
	return ed25519.Verify(v.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, msg), sig[8:])
}

func TestCosignature(t *testing.T) {
	c, signed, v := sampleCheckpoint(t)
	made := journal.Cosign(c, "demo", cosigner, cosignerKey, seenAt)
	got, err := openCosignature(made.Line, c)
	if err != nil || got != made || !got.At.Equal(seenAt.Truncate(time.Second)) {
		t.Fatalf("%+v, %v", got, err)
	}
	t.Run("C2SP", func(t *testing.T) {
		other := c2sp{journal.Origin("demo", cosigner), cosignerKey.Public().(ed25519.PublicKey)}
		n, err := note.Open(append(signed, made.Line...), note.VerifierList(v, other))
		if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 {
			t.Errorf("%+v, %v", n, err)
		}
	})
	t.Run("others' lines are passed over", func(t *testing.T) {
		stranger := journal.Cosign(c, "demo", territory.HubID{8}, cosignerKey, seenAt)
		former := journal.Cosign(c, "demo", cosigner, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)), seenAt)
		if got, err := openCosignature(stranger.Line+former.Line+made.Line, c); err != nil || got != made {
			t.Errorf("%+v, %v", got, err)
		}
		for name, lines := range map[string]string{"a stranger's": stranger.Line, "a former key's": former.Line, "nothing": "", "too far down": strings.Repeat(stranger.Line, 16) + made.Line} {
			if _, err := openCosignature(lines, c); !errors.Is(err, journal.ErrNotCosigned) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("of another checkpoint", func(t *testing.T) {
		longer := c
		longer.Size++
		if _, err := openCosignature(made.Line, longer); err == nil {
			t.Error("taken")
		}
	})
	t.Run("any flipped bit", func(t *testing.T) {
		for i := range made.Line {
			for bit := range 8 {
				altered := []byte(made.Line)
				altered[i] ^= 1 << bit
				if got, err := openCosignature(string(altered), c); err == nil {
					t.Errorf("octet %d, bit %d passed: %+v", i, bit, got)
				}
			}
		}
	})
}

// leaves are hashes of a tree as the store keeps them.
type leaves []tlog.Hash

func grown(n int, text string) (tree journal.Tree, stored leaves, roots []tlog.Hash) {
	roots = append(roots, tree.Root())
	for i := range n {
		stored = append(stored, tree.Append(fmt.Appendf(nil, "%s %d", text, i))...)
		roots = append(roots, tree.Root())
	}
	return tree, stored, roots
}

func (l leaves) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	for _, i := range indexes {
		hashes = append(hashes, l[i])
	}
	return hashes, nil
}

// TestContinues: every journal continues each of its pasts, and no other's.
func TestContinues(t *testing.T) {
	const size = 37
	_, stored, roots := grown(size, "entry")
	_, _, others := grown(size, "other")
	for old := range int64(size + 1) {
		proof, err := journal.Prove(old, size, stored)
		if err != nil {
			t.Fatal(err)
		}
		c := journal.Checkpoint{Size: size, Root: roots[size]}
		if err := journal.CheckContinues(proof, c, old, roots[old]); err != nil {
			t.Errorf("from %d: %v", old, err)
		}
		if old == 0 {
			continue // nothing was seen: anything continues it
		}
		if err := journal.CheckContinues(proof, c, old, others[old]); !errors.Is(err, journal.ErrInconsistent) {
			t.Errorf("from another's %d: %v", old, err)
		}
		if err := journal.CheckContinues(proof, journal.Checkpoint{Size: old - 1, Root: roots[old-1]}, old, roots[old]); !errors.Is(err, journal.ErrInconsistent) {
			t.Errorf("back from %d: %v", old, err)
		}
		if err := journal.CheckContinues(append(proof, roots[0]), c, old, roots[old]); !errors.Is(err, journal.ErrInconsistent) {
			t.Errorf("one hash more from %d: %v", old, err)
		}
	}
}

func TestSubmission(t *testing.T) {
	_, signed, _ := sampleCheckpoint(t)
	_, stored, _ := grown(42, "entry")
	proof, err := journal.Prove(17, 42, stored)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]journal.Submission{
		"the first": {Checkpoint: signed}, "a later one": {Old: 17, Proof: proof, Checkpoint: signed},
	} {
		again, err := journal.ParseSubmission(s.Text())
		if err != nil || again.Old != s.Old || len(again.Proof) != len(s.Proof) || !bytes.Equal(again.Checkpoint, signed) {
			t.Errorf("%s: %+v, %v", name, again, err)
		}
	}
	for _, text := range []string{
		"", "old 1", "old 1\n", "old -1\n\nx", "old 01\n\nx", "old +1\n\nx", "new 1\n\nx", "old 1\nAAAA\n\nx", "old 1\n" + strings.Repeat(proof[0].String()+"\n", 64) + "\nx",
		"old 1\r\n\nx", "old 1\n" + strings.Replace(proof[0].String(), "=", "", 1) + "\n\nx",
	} {
		if got, err := journal.ParseSubmission([]byte(text)); err == nil {
			t.Errorf("took %q: %+v", text, got)
		}
	}
}

func FuzzSubmission(f *testing.F) {
	_, signed, _ := sampleCheckpoint(f)
	f.Add(journal.Submission{Old: 3, Proof: []tlog.Hash{{1}, {2}}, Checkpoint: signed}.Text())
	f.Add([]byte("old 0\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := journal.ParseSubmission(body)
		if err == nil && (s.Old < 0 || len(s.Proof) > 63 || !bytes.Equal(s.Text(), body)) {
			t.Errorf("%+v of %q", s, body)
		}
	})
}

// FuzzOpenCosignature: what opens is what Cosign writes, at a time that prints.
func FuzzOpenCosignature(f *testing.F) {
	c, _, _ := sampleCheckpoint(f)
	f.Add(journal.Cosign(c, "demo", cosigner, cosignerKey, seenAt).Line)
	f.Add("— relais/demo/h AAAA\n")
	f.Fuzz(func(t *testing.T, lines string) {
		got, err := openCosignature(lines, c)
		if err == nil && (got != journal.Cosign(c, "demo", cosigner, cosignerKey, got.At) || got.At.Year() > 9999) {
			t.Errorf("%+v", got)
		}
	})
}
