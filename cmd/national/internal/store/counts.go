package store

import (
	"context"
	"time"

	"relais/node/territory"
)

// Counts are what the service holds, in all.
type Counts struct {
	Records     int // held ones included
	Notices     int
	Revocations int
	Forks       int // logs with two histories
	Refused     int // records handed over and refused, since the beginning
}

// Counts adds up the logs: its cost does not grow with the records.
func (db *DB) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := db.one(ctx, []any{&c.Records, &c.Notices, &c.Revocations, &c.Forks, &c.Refused}, `
		SELECT coalesce(sum(records), 0), coalesce(sum(notices), 0),
		       coalesce(sum(revocations), 0), count(forked_at),
		       (SELECT coalesce(sum(n), 0) FROM refusals)
		FROM logs`)
	return c, err
}

// Refused counts records that a hub handed over and that were refused.
func (db *DB) Refused(ctx context.Context, hub territory.HubID, reasons map[string]int, now time.Time) error {
	if len(reasons) == 0 {
		return nil
	}
	return db.inWrite(ctx, func(tx session) error {
		for reason, n := range reasons {
			if _, err := tx.exec(ctx, `
				INSERT INTO refusals (hub, reason, n, last_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (hub, reason) DO UPDATE SET n = refusals.n + excluded.n, last_at = excluded.last_at`,
				hub[:], reason, n, now.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
