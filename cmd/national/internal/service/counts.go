package service

import (
	"context"

	"relais/node/territory"
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
	c.Checkpoint, err = s.db.CheckpointSize(ctx, asker)
	return c, err
}
