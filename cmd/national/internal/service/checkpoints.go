package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"relais/cmd/national/internal/store"
	"relais/node/journal"
	"relais/node/territory"
	"relais/sync/exchange"
)

// staleError means that the hub did not know how much of its journal is held here.
type staleError struct{ held int64 }

func (e *staleError) Error() string {
	return fmt.Sprintf("%d entries of this journal are held", e.held)
}

// AddCheckpoint takes the state of a hub's journal, durably, once it was proved to
// continue the one that is held, and returns the service's cosignature: a line, or
// "" when the roster names no witness key of this service. The errors are those of
// C2SP's tlog-witness: a problem, or *staleError. A journal that contradicts its past
// is kept beside it, and said in the log and on the status page.
func (s *Service) AddCheckpoint(ctx context.Context, hub territory.HubID, body []byte) (cosignature string, err error) {
	sent, err := journal.ParseSubmission(body)
	if err != nil {
		return "", &exchange.Problem{Status: http.StatusBadRequest, Detail: err.Error()}
	}
	h, known := s.Roster().Hub(hub)
	if !known {
		return "", &exchange.Problem{Status: http.StatusForbidden, Detail: "not a hub of the roster"}
	}
	signed, err := openCheckpoint(sent.Checkpoint, s.Roster().Territory, h)
	if err != nil {
		return "", &exchange.Problem{Status: http.StatusForbidden, Detail: err.Error()}
	}
	if sent.Old > signed.Size {
		return "", &exchange.Problem{Status: http.StatusBadRequest, Detail: "the old size is above the checkpoint's"}
	}
	c := store.Checkpoint{Hub: hub, Size: signed.Size, Root: signed.Root, Note: sent.Checkpoint}
	var held int64
	cosignature, err = s.db.AddCheckpoint(ctx, c, func(last store.Checkpoint) (string, error) {
		held = last.Size
		return s.judge(sent, signed, last)
	}, s.o.Now())
	return cosignature, s.contradiction(ctx, c, held, err)
}

func openCheckpoint(note []byte, code territory.Code, h territory.Hub) (journal.Checkpoint, error) {
	witness, err := journal.NewVerifier(journal.Origin(code, h.ID), h.Witness)
	if err != nil {
		return journal.Checkpoint{}, err
	}
	return journal.OpenCheckpoint(note, witness)
}

// judge verifies that a checkpoint continues the last one, and cosigns it; what was
// said of it before is said again.
func (s *Service) judge(sent journal.Submission, c journal.Checkpoint, last store.Checkpoint) (string, error) {
	if sent.Old != last.Size {
		return "", &staleError{last.Size}
	}
	if err := journal.CheckContinues(sent.Proof, c, last.Size, last.Root); err != nil {
		return "", err
	}
	roster := s.Roster()
	if !s.cosigns(roster) {
		return "", nil
	}
	service := roster.National
	if last.Size == c.Size {
		if said, err := journal.OpenCosignature(last.Cosignature, c, roster.Territory, service.ID, service.Witness); err == nil {
			return said.Line, nil
		}
	}
	return journal.Cosign(c, roster.Territory, service.ID, s.o.Witness, s.o.Now()).Line, nil
}

// contradiction makes the answer of why a checkpoint was not taken, and keeps one
// that its hub signed against its own past. A state that was seen before is no
// contradiction: it may be a request that comes late.
func (s *Service) contradiction(ctx context.Context, c store.Checkpoint, held int64, err error) error {
	var stale *staleError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, journal.ErrInconsistent):
		if held == 0 {
			return &exchange.Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
		}
		if c.Size == held {
			err = &exchange.Problem{Status: http.StatusConflict, Detail: err.Error()}
		} else {
			err = &exchange.Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
		}
	case errors.As(err, &stale) && c.Size < stale.held:
		saw, sawErr := s.db.SawCheckpoint(ctx, c)
		if saw || sawErr != nil {
			return errors.Join(err, sawErr)
		}
	default:
		return err
	}
	s.o.Logger.Error("a journal contradicts its past", "peer", c.Hub.String(), "held", held, "size", c.Size)
	return errors.Join(err, s.db.Contradicted(ctx, c, held, s.o.Now()))
}
