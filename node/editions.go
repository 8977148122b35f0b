package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/internal/store"
	"relais/node/territory"
)

// Edition is a roster that this hub took, and what it changed.
type Edition struct {
	Version uint32
	Issued  time.Time
	Taken   time.Time // by this hub
	Expires time.Time
	Changes []territory.Change
}

// RosterHistory lists the rosters this hub took, the newest first, with what each
// changed. limit bounds how many.
func (n *Node) RosterHistory(ctx context.Context, limit int) ([]Edition, error) {
	var rows []store.RosterRow
	err := n.db.Read(ctx, func(r *store.Reader) (err error) { rows, err = r.Rosters(limit + 1); return err })
	if err != nil {
		return nil, err
	}
	var before *territory.Roster
	list := make([]Edition, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		r, err := territory.OpenRoster(rows[i].Note, rows[i].Root)
		if err != nil {
			return nil, fmt.Errorf("roster %d as kept: %w", rows[i].Version, err)
		}
		list[i] = Edition{r.Version, r.IssuedAt, rows[i].Taken, r.ExpiresAt, r.ChangesSince(before)}
		before = r
	}
	if len(list) > limit {
		list = list[:limit]
	}
	return list, nil
}

// RosterTurns are the first roster of each root, above a version, the oldest
// first, as signed: by them a hub that slept through rotations follows, one after
// the other.
func (n *Node) RosterTurns(ctx context.Context, after uint32) (notes [][]byte, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.RosterTurns(after)
		for _, row := range rows {
			notes = append(notes, row.Note)
		}
		return err
	})
	return notes, err
}
