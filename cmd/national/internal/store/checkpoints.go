package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"relais/node/territory"
)

// Checkpoint is the state of one hub's journal, as the hub signed it.
type Checkpoint struct {
	Hub  territory.HubID
	Size int64
	Root [32]byte
	Note []byte
}

// The ways a checkpoint contradicts what was kept.
var (
	ErrShrinks = errors.New("the journal is shorter than it was")
	ErrForked  = errors.New("the journal has another root at this size")
)

// PutCheckpoint keeps a checkpoint whose signature the caller has checked. The
// same one again is no error; a smaller one, or another root at a size already
// seen, is, and nothing changes.
func (db *DB) PutCheckpoint(ctx context.Context, c Checkpoint, now time.Time) error {
	return db.inWrite(ctx, func(tx session) error {
		var size int64
		var root []byte
		err := tx.one(ctx, []any{&size, &root}, `
			SELECT size, root FROM checkpoints WHERE hub = $1 ORDER BY size DESC LIMIT 1`, c.Hub[:])
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		case c.Size < size:
			return fmt.Errorf("%w: %d < %d", ErrShrinks, c.Size, size)
		case c.Size == size && bytes.Equal(root, c.Root[:]):
			return nil
		case c.Size == size:
			return fmt.Errorf("%w: %d", ErrForked, size)
		}
		_, err = tx.exec(ctx, `
			INSERT INTO checkpoints (hub, size, root, note, received_at) VALUES ($1, $2, $3, $4, $5)`,
			c.Hub[:], c.Size, c.Root[:], c.Note, now.UnixMilli())
		return err
	})
}
