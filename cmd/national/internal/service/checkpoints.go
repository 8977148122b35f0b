package service

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"relais/cmd/national/internal/store"
	"relais/node/fault"
	"relais/node/territory"
)

// PutCheckpoint keeps the state of a hub's journal, durably. Invalid when the
// hub's witness key did not sign it; Conflict when the journal shrank or changed.
func (s *Service) PutCheckpoint(ctx context.Context, hub territory.HubID, signed []byte) error {
	h, known := s.Roster().Hub(hub)
	if !known {
		return fault.Errorf(fault.Forbidden, messageCheckpoint, "%s is no hub of the roster", hub)
	}
	c, err := openCheckpoint(signed, h.Witness)
	if err != nil {
		return fault.New(fault.Invalid, messageCheckpoint, err)
	}
	c.Hub = hub
	err = s.db.PutCheckpoint(ctx, c, s.o.Now())
	if errors.Is(err, store.ErrShrinks) || errors.Is(err, store.ErrForked) {
		s.o.Logger.Error("a journal contradicts its past", "peer", hub.String(), "err", err)
		return fault.New(fault.Conflict, messageCheckpoint, err)
	}
	return err
}

// openCheckpoint reads a C2SP tlog-checkpoint: origin, size, root, and a
// signature by the witness key under the origin's name.
func openCheckpoint(signed, witness []byte) (store.Checkpoint, error) {
	origin, _, _ := strings.Cut(string(signed), "\n")
	key, err := note.NewEd25519VerifierKey(origin, witness)
	if err != nil {
		return store.Checkpoint{}, fmt.Errorf("origin %.40q: %w", origin, err)
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return store.Checkpoint{}, fmt.Errorf("origin %.40q: %w", origin, err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return store.Checkpoint{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 { // three, each ended
		return store.Checkpoint{}, errors.New("fewer than three lines")
	}
	c := store.Checkpoint{Note: signed}
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || strconv.FormatInt(c.Size, 10) != lines[1] {
		return store.Checkpoint{}, fmt.Errorf("size %.20q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return store.Checkpoint{}, fmt.Errorf("root %.60q", lines[2])
	}
	c.Root = [32]byte(root)
	return c, nil
}
