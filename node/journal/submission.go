package journal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Submission is what a journal's keeper sends to a witness (C2SP tlog-witness,
// add-checkpoint): a signed checkpoint, and the proof that it continues the one that
// the witness saw last.
type Submission struct {
	Old        int64       // size of the journal when the witness last saw it; 0: never
	Proof      []tlog.Hash // RFC 6962 §2.1.2, from Old to the checkpoint's size
	Checkpoint []byte      // signed
}

// maxProof bounds the proof's hashes: a journal of 2⁶³ entries needs no more.
const maxProof = 63

// Text writes the submission: a line for the old size, one for each hash, an empty
// one, then the checkpoint.
func (s Submission) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", s.Old)
	for _, h := range s.Proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(s.Checkpoint)
	return []byte(b.String())
}

// ParseSubmission reads what Text writes, and nothing else. Whether the checkpoint
// is signed and the proof holds is not looked at.
func ParseSubmission(body []byte) (Submission, error) {
	head, checkpoint, found := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	size, hasOld := strings.CutPrefix(lines[0], "old ")
	if !found || !hasOld || len(lines)-1 > maxProof {
		return Submission{}, errors.New("not a checkpoint with the proof that it continues another")
	}
	old, err := strconv.ParseInt(size, 10, 64)
	if err != nil || old < 0 {
		return Submission{}, fmt.Errorf("old size %.20q", size)
	}
	s := Submission{Old: old, Checkpoint: []byte(checkpoint)}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != HashSize {
			return Submission{}, errors.New("a line of the proof is no hash")
		}
		s.Proof = append(s.Proof, tlog.Hash(hash))
	}
	if string(s.Text()) != string(body) {
		return Submission{}, errors.New("oddly written")
	}
	return s, nil
}

// Prove returns the proof that the journal of size entries continues the one of old
// entries, which is empty for 0 and for size itself.
func Prove(old, size int64, hashes tlog.HashReader) ([]tlog.Hash, error) {
	if old == 0 || old == size {
		return nil, nil
	}
	proof, err := tlog.ProveTree(size, old, hashes)
	if err != nil {
		return nil, fmt.Errorf("prove that %d entries continue %d: %w", size, old, err)
	}
	return proof, nil
}

// ErrInconsistent means that a journal is not the continuation of what was seen of
// it: its past was changed.
var ErrInconsistent = errors.New("the journal does not continue what was seen of it")

// CheckContinues verifies a proof (RFC 6962 §2.1.2) that the tree of c continues
// the one of old entries under root. Its error wraps ErrInconsistent.
func CheckContinues(proof []tlog.Hash, c Checkpoint, old int64, root tlog.Hash) error {
	switch {
	case old > c.Size:
		return fmt.Errorf("%w: %d entries, after %d", ErrInconsistent, c.Size, old)
	case old == c.Size && root != c.Root:
		return fmt.Errorf("%w: another root at %d entries", ErrInconsistent, old)
	case old == 0 || old == c.Size:
		if len(proof) > 0 {
			return fmt.Errorf("%w: a proof where there is nothing to prove", ErrInconsistent)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, c.Size, c.Root, old, root); err != nil {
		return fmt.Errorf("%w: from %d entries to %d: %w", ErrInconsistent, old, c.Size, err)
	}
	return nil
}
