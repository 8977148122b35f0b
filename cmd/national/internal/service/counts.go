package service

import (
	"context"
	"fmt"
	"net/http"

	"relais/cmd/national/internal/store"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/national"
)

// Counts adds up the logs that the roster admits, for one asking hub.
func (s *Service) Counts(ctx context.Context, asker territory.HubID) (national.Counts, error) {
	logs, err := s.standings(ctx)
	if err != nil {
		return national.Counts{}, err
	}
	var c national.Counts
	for _, l := range logs {
		c.Records += l.Records
		c.Notices += l.Notices
		c.Revocations += l.Revocations
	}
	last, err := s.db.LastCheckpoint(ctx, asker)
	if c.Checkpoint = last.Size; err != nil {
		return c, err
	}
	list, err := s.db.List(ctx)
	c.Structures, c.StructuresHead = list.There, cursorOf(list, list.Head)
	return c, err
}

// compare notes how far a hub that says what it holds is from what is here.
func (s *Service) compare(ctx context.Context, hub territory.HubID, said string, here national.Counts) error {
	there, err := national.ParseHeld(said)
	if err != nil {
		return &exchange.Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	err = s.db.Compared(ctx, store.Sighting{
		Hub: hub, Compared: s.o.Now(), Drift: national.Drift(there, here), Structures: there.Structures, Aside: there.Aside,
	})
	if err != nil {
		return fmt.Errorf("note the drift: %w", err)
	}
	return nil
}
