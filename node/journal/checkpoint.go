package journal

import (
	"crypto/ed25519"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"relais/node/territory"
)

// Origin names a hub's journal in its checkpoints (C2SP tlog-checkpoint): the
// first line, and the name of the key that signs.
func Origin(code territory.Code, hub territory.HubID) string {
	return "relais/" + string(code) + "/" + hub.String()
}

// Checkpoint is a tree head.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text is what is signed: origin, size and root, a line each.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root)
}

// Sign returns the checkpoint as a C2SP signed note.
func (c Checkpoint) Sign(witness note.Signer) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: c.Text()}, witness)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint %d: %w", c.Size, err)
	}
	return signed, nil
}

// OpenCheckpoint reads a signed checkpoint of the journal that witness signs.
// Its errors say that it is unsigned, of another journal, or not written as a
// checkpoint is.
func OpenCheckpoint(signed []byte, witness note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(witness))
	if err != nil {
		return Checkpoint{}, err
	}
	var c Checkpoint
	var root string
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) < 4 {
		return Checkpoint{}, fmt.Errorf("a checkpoint has three lines")
	}
	c.Origin, root = lines[0], lines[2]
	if _, err := fmt.Sscanf(lines[1], "%d", &c.Size); err != nil {
		return Checkpoint{}, fmt.Errorf("size %.20q: %w", lines[1], err)
	}
	if c.Root, err = tlog.ParseHash(root); err != nil {
		return Checkpoint{}, err
	}
	if c.Origin != witness.Name() || c.Size < 0 || c.Text() != n.Text {
		return Checkpoint{}, fmt.Errorf("not a checkpoint of %s", witness.Name())
	}
	return c, nil
}

// Witness signs checkpoints with a hub's Ed25519 key.
type Witness struct {
	verifier note.Verifier
	key      ed25519.PrivateKey
}

// NewWitness returns the signer of a journal's checkpoints.
func NewWitness(origin string, key ed25519.PrivateKey) (*Witness, error) {
	verifier, err := NewVerifier(origin, key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &Witness{verifier, key}, nil
}

// Name implements note.Signer.
func (w *Witness) Name() string { return w.verifier.Name() }

// KeyHash implements note.Signer.
func (w *Witness) KeyHash() uint32 { return w.verifier.KeyHash() }

// Sign implements note.Signer.
func (w *Witness) Sign(text []byte) ([]byte, error) { return ed25519.Sign(w.key, text), nil }

// NewVerifier returns the verifier of a journal's checkpoints.
func NewVerifier(origin string, key ed25519.PublicKey) (note.Verifier, error) {
	text, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(text)
}
