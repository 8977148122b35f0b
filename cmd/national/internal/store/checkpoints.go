package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relais/node/territory"
)

// Checkpoint is the state of one hub's journal, as the hub signed it.
type Checkpoint struct {
	Hub         territory.HubID
	Size        int64
	Root        [32]byte
	Note        []byte
	Cosignature string // the service's own, a line; "" for none
}

// AddCheckpoint keeps a checkpoint whose signature the caller has checked, with what
// judge says of it when asked with the one that is kept; of size 0 for none. The
// error of judge ends it, and nothing changes. judge may be asked again. A checkpoint
// that is kept, with the same cosignature, is not written again.
func (db *DB) AddCheckpoint(ctx context.Context, c Checkpoint, judge func(last Checkpoint) (cosignature string, err error), now time.Time) (cosignature string, err error) {
	err = db.inWrite(ctx, func(tx session) error {
		last, err := lastCheckpoint(ctx, tx, c.Hub)
		if err != nil {
			return err
		}
		if cosignature, err = judge(last); err != nil {
			return err
		}
		if last.Size == c.Size && last.Cosignature == cosignature && len(last.Note) > 0 {
			return nil
		}
		_, err = tx.exec(ctx, `
			INSERT INTO checkpoints (hub, size, root, note, received_at, cosignature) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (hub, size) DO UPDATE SET cosignature = excluded.cosignature`,
			c.Hub[:], c.Size, c.Root[:], c.Note, now.UnixMilli(), sql.NullString{String: cosignature, Valid: cosignature != ""})
		return err
	})
	return cosignature, err
}

// LastCheckpoint returns the newest checkpoint of a hub; of size 0 for none.
func (db *DB) LastCheckpoint(ctx context.Context, hub territory.HubID) (Checkpoint, error) {
	return lastCheckpoint(ctx, db.session, hub)
}

func lastCheckpoint(ctx context.Context, s session, hub territory.HubID) (Checkpoint, error) {
	c := Checkpoint{Hub: hub}
	var root []byte
	err := s.one(ctx, []any{&c.Size, &root, &c.Note, &c.Cosignature}, `
		SELECT size, root, note, coalesce(cosignature, '') FROM checkpoints WHERE hub = $1 ORDER BY size DESC LIMIT 1`, hub[:])
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	copy(c.Root[:], root)
	return c, err
}

// SawCheckpoint tells whether this very state of a hub's journal is kept, be it the
// newest or not.
func (db *DB) SawCheckpoint(ctx context.Context, c Checkpoint) (saw bool, err error) {
	err = db.one(ctx, []any{&saw}, `SELECT EXISTS (SELECT 1 FROM checkpoints WHERE hub = $1 AND size = $2 AND root = $3)`,
		c.Hub[:], c.Size, c.Root[:])
	return saw, err
}

// Contradiction is that a hub signed a state of its journal which does not continue
// the one that is kept.
type Contradiction struct {
	Held int64     // size of the one that is kept
	Size int64     // of the other
	Last time.Time // zero: there is none that stands
}

// Contradicted keeps a checkpoint that contradicts the one of held entries.
func (db *DB) Contradicted(ctx context.Context, c Checkpoint, held int64, now time.Time) error {
	return db.inWrite(ctx, func(tx session) error {
		_, err := tx.exec(ctx, `
			INSERT INTO contradictions (hub, held, size, note, n, last_at) VALUES ($1, $2, $3, $4, 1, $5)
			ON CONFLICT (hub) DO UPDATE SET held = excluded.held, size = excluded.size, note = excluded.note,
				n = contradictions.n + 1, last_at = excluded.last_at`,
			c.Hub[:], held, c.Size, c.Note, now.UnixMilli())
		return err
	})
}

// Contradiction returns the last one of a hub, unless a checkpoint was kept since.
func (db *DB) Contradiction(ctx context.Context, hub territory.HubID) (c Contradiction, err error) {
	var at int64
	err = db.one(ctx, []any{&c.Held, &c.Size, &at}, `
		SELECT held, size, last_at FROM contradictions d
		WHERE hub = $1 AND last_at >= (SELECT coalesce(max(received_at), 0) FROM checkpoints c WHERE c.hub = d.hub)`, hub[:])
	if errors.Is(err, sql.ErrNoRows) {
		return Contradiction{}, nil
	}
	c.Last = time.UnixMilli(at).UTC()
	return c, err
}
