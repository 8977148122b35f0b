package service

import (
	"context"
	"errors"

	"relais/cmd/national/internal/store"
	"relais/node/fault"
	"relais/node/journal"
	"relais/node/territory"
)

// PutCheckpoint keeps the state of a hub's journal, durably. Invalid when the
// hub's witness key did not sign it; Conflict when the journal shrank or changed.
func (s *Service) PutCheckpoint(ctx context.Context, hub territory.HubID, signed []byte) error {
	h, known := s.Roster().Hub(hub)
	if !known {
		return fault.Errorf(fault.Forbidden, messageCheckpoint, "%s is no hub of the roster", hub)
	}
	witness, err := journal.NewVerifier(journal.Origin(s.Roster().Territory, hub), h.Witness)
	if err != nil {
		return fault.New(fault.Invalid, messageCheckpoint, err)
	}
	head, err := journal.OpenCheckpoint(signed, witness)
	if err != nil {
		return fault.New(fault.Invalid, messageCheckpoint, err)
	}
	c := store.Checkpoint{Hub: hub, Size: head.Size, Root: head.Root, Note: signed}
	err = s.db.PutCheckpoint(ctx, c, s.o.Now())
	if errors.Is(err, store.ErrShrinks) || errors.Is(err, store.ErrForked) {
		s.o.Logger.Error("a journal contradicts its past", "peer", hub.String(), "err", err)
		return fault.New(fault.Conflict, messageCheckpoint, err)
	}
	return err
}
