package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"relais/node/territory"
)

// Territory is what the service was told of the one territory it serves.
type Territory struct {
	Code    territory.Code
	RootKey string // note verifier key
	// Announced is the root under which RootKey was announced, in a roster that
	// was taken: with InstallRoster alone, at a rotation. "": RootKey is the one
	// pinned.
	Announced string
	Version   uint32 // of the newest roster
	Note      []byte // that roster, as signed
	// After is the version of the roster that this one was judged against, which
	// must still be the newest; 0: none, and the caller decides alone.
	After uint32
}

// The ways a roster cannot be taken.
var (
	ErrNoTerritory = errors.New("no roster is installed; run national install-roster first")
	ErrOther       = errors.New("the database is of another territory, or another root")
	ErrOlder       = errors.New("the roster is older than the one installed")
	ErrTwin        = errors.New("another roster of this version is installed")
	ErrMoved       = errors.New("another roster was installed meanwhile")
)

// Territory returns the territory and its newest roster; ErrNoTerritory before
// the first.
func (db *DB) Territory(ctx context.Context) (Territory, error) {
	var t Territory
	err := db.one(ctx, []any{&t.Code, &t.RootKey, &t.Version, &t.Note}, `
		SELECT t.code, t.root_key, r.version, r.note
		FROM territory t, rosters r ORDER BY r.version DESC LIMIT 1`)
	if errors.Is(err, sql.ErrNoRows) {
		return Territory{}, ErrNoTerritory
	}
	return t, err
}

// InstallRoster keeps a roster whose signature the caller has checked. The same
// one again is no error. Versions only rise; the code never changes, and the root
// only from the one that announced it, with the roster.
func (db *DB) InstallRoster(ctx context.Context, t Territory, now time.Time) error {
	return db.inWrite(ctx, func(tx session) error {
		if _, err := tx.exec(ctx, `
			INSERT INTO territory (id, code, root_key) VALUES (1, $1, $2) ON CONFLICT DO NOTHING`,
			string(t.Code), t.RootKey); err != nil {
			return err
		}
		if err := unmoved(ctx, tx, t.After); err != nil {
			return err
		}
		pinned := cmp.Or(t.Announced, t.RootKey)
		var same bool
		if err := tx.one(ctx, []any{&same}, `SELECT code = $1 AND root_key = $2 FROM territory`,
			string(t.Code), pinned); err != nil {
			return err
		}
		if !same {
			return ErrOther
		}
		if err := addRoster(ctx, tx, t, now); err != nil || pinned == t.RootKey {
			return err
		}
		_, err := tx.exec(ctx, `UPDATE territory SET root_key = $1`, t.RootKey)
		return err
	})
}

// unmoved tells whether the roster that the caller judged by is still the newest.
func unmoved(ctx context.Context, tx session, after uint32) error {
	var newest uint32
	err := tx.one(ctx, []any{&newest}, `SELECT coalesce(max(version), 0) FROM rosters`)
	if err == nil && after != 0 && newest != after {
		err = fmt.Errorf("%w: %d, after %d", ErrMoved, newest, after)
	}
	return err
}

func addRoster(ctx context.Context, tx session, t Territory, now time.Time) error {
	var newest uint32
	var note []byte
	err := tx.one(ctx, []any{&newest, &note}, `SELECT version, note FROM rosters ORDER BY version DESC LIMIT 1`)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case t.Version < newest:
		return fmt.Errorf("%w: %d < %d", ErrOlder, t.Version, newest)
	case t.Version == newest && string(note) == string(t.Note):
		return nil
	case t.Version == newest:
		return fmt.Errorf("%w: %d", ErrTwin, t.Version)
	}
	_, err = tx.exec(ctx, `INSERT INTO rosters (version, note, received_at) VALUES ($1, $2, $3)`,
		t.Version, t.Note, now.UnixMilli())
	return err
}
