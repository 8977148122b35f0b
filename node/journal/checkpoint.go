package journal

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
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
// Its errors say that it is unsigned, of another journal, or not written
// octet for octet as Sign writes it: base64 and notes leave room for a flipped
// bit that changes nothing, and no such bit may pass unseen.
func OpenCheckpoint(signed []byte, witness note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(witness))
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("signature: %w", err)
	}
	again := n.Text + "\n— " + witness.Name() + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
	if c.Origin != witness.Name() || c.Text() != n.Text || again != string(signed) {
		return Checkpoint{}, fmt.Errorf("not a checkpoint of %s as it is written", witness.Name())
	}
	return c, nil
}

func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 { // the last is empty
		return c, errors.New("a checkpoint has three lines")
	}
	c.Origin = lines[0]
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return c, fmt.Errorf("size: %w", err)
	}
	if c.Size < 0 {
		return c, fmt.Errorf("size %d", c.Size)
	}
	c.Root, err = tlog.ParseHash(lines[2])
	return c, err
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
