package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relais/node/territory"
)

// Sighting is what is remembered of a hub's visits.
type Sighting struct {
	Hub      territory.HubID
	Seen     time.Time
	Compared time.Time // when it last said what it holds; zero for never
	Drift    int       // what did not agree then

	Structures int // of the list, which it had then
	Aside      int // of the list, what it could not read
}

// Admission is what must be known to answer one request of a hub, in one
// question: another instance may have learnt it since the last.
type Admission struct {
	Roster uint32    // version of the newest; 0 for none
	Seen   time.Time // when the hub was last noted; zero for never
}

// Admission reads it. The zero hub was never seen.
func (db *DB) Admission(ctx context.Context, hub territory.HubID) (Admission, error) {
	var a Admission
	var seen int64
	err := db.one(ctx, []any{&a.Roster, &seen}, `
		SELECT coalesce((SELECT max(version) FROM rosters), 0),
		       coalesce((SELECT seen_at FROM sightings WHERE hub = $1), 0)`, hub[:])
	if seen > 0 {
		a.Seen = time.UnixMilli(seen).UTC()
	}
	return a, err
}

// Seen notes that a hub asked for something.
func (db *DB) Seen(ctx context.Context, hub territory.HubID, now time.Time) error {
	return db.inWrite(ctx, func(tx session) error {
		_, err := tx.exec(ctx, `
			INSERT INTO sightings (hub, seen_at) VALUES ($1, $2)
			ON CONFLICT (hub) DO UPDATE SET seen_at = excluded.seen_at`, hub[:], now.UnixMilli())
		return err
	})
}

// Compared notes how far a hub and the service are apart, at the moment of Compared.
func (db *DB) Compared(ctx context.Context, s Sighting) error {
	return db.inWrite(ctx, func(tx session) error {
		_, err := tx.exec(ctx, `
			INSERT INTO sightings (hub, seen_at, compared_at, drift, structures, aside) VALUES ($1, $2, $2, $3, $4, $5)
			ON CONFLICT (hub) DO UPDATE SET seen_at = excluded.seen_at, compared_at = excluded.compared_at, drift = excluded.drift,
				structures = excluded.structures, aside = excluded.aside`,
			s.Hub[:], s.Compared.UnixMilli(), s.Drift, s.Structures, s.Aside)
		return err
	})
}

// Sighting returns what is remembered of a hub; zero when it never came.
func (db *DB) Sighting(ctx context.Context, hub territory.HubID) (Sighting, error) {
	s := Sighting{Hub: hub}
	var seen int64
	var compared, drift sql.NullInt64
	err := db.one(ctx, []any{&seen, &compared, &drift, &s.Structures, &s.Aside}, `
		SELECT seen_at, compared_at, drift, coalesce(structures, 0), coalesce(aside, 0) FROM sightings WHERE hub = $1`, hub[:])
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	}
	s.Seen, s.Drift = time.UnixMilli(seen).UTC(), int(drift.Int64)
	if compared.Valid {
		s.Compared = time.UnixMilli(compared.Int64).UTC()
	}
	return s, err
}
