package service

import (
	"context"
	"fmt"
	"net/http"

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
	c.Checkpoint = last.Size
	return c, err
}

// compare notes how far a hub that says what it holds is from what is here.
func (s *Service) compare(ctx context.Context, hub territory.HubID, said string, here national.Counts) error {
	there, err := national.ParseCountsHeader(said)
	if err != nil {
		return &exchange.Problem{Status: http.StatusUnprocessableEntity, Detail: err.Error()}
	}
	if err := s.db.Compared(ctx, hub, national.Drift(there, here), s.o.Now()); err != nil {
		return fmt.Errorf("note the drift: %w", err)
	}
	return nil
}
