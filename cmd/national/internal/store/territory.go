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
}

// The ways a roster cannot be taken.
var (
	ErrNoTerritory = errors.New("no roster is installed; run national install-roster first")
	ErrOther       = errors.New("the folder serves another territory, or another root")
	ErrOlder       = errors.New("the roster is older than the one installed")
	ErrTwin        = errors.New("another roster of this version is installed")
)

// Territory returns the territory and its newest roster; ErrNoTerritory before
// the first.
func (db *DB) Territory(ctx context.Context) (Territory, error) {
	var t Territory
	err := db.read.QueryRowContext(ctx, `
		SELECT t.code, t.root_key, r.version, r.note
		FROM territory t, rosters r ORDER BY r.version DESC LIMIT 1`,
	).Scan(&t.Code, &t.RootKey, &t.Version, &t.Note)
	if errors.Is(err, sql.ErrNoRows) {
		return Territory{}, ErrNoTerritory
	}
	return t, err
}

// InstallRoster keeps a roster whose signature the caller has checked. The same
// one again is no error. Versions only rise; the code never changes, and the root
// only from the one that announced it, with the roster.
func (db *DB) InstallRoster(ctx context.Context, t Territory, now time.Time) error {
	return db.inWrite(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO territory (id, code, root_key) VALUES (1, ?, ?) ON CONFLICT DO NOTHING`,
			string(t.Code), t.RootKey); err != nil {
			return err
		}
		pinned := cmp.Or(t.Announced, t.RootKey)
		var same bool
		if err := tx.QueryRowContext(ctx, `SELECT code = ? AND root_key = ? FROM territory`,
			string(t.Code), pinned).Scan(&same); err != nil {
			return err
		}
		if !same {
			return ErrOther
		}
		if err := addRoster(ctx, tx, t, now); err != nil || pinned == t.RootKey {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE territory SET root_key = ?`, t.RootKey)
		return err
	})
}

func addRoster(ctx context.Context, tx *sql.Tx, t Territory, now time.Time) error {
	var newest uint32
	var note []byte
	err := tx.QueryRowContext(ctx, `
		SELECT version, note FROM rosters ORDER BY version DESC LIMIT 1`).Scan(&newest, &note)
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
	_, err = tx.ExecContext(ctx, `INSERT INTO rosters (version, note, received_at) VALUES (?, ?, ?)`,
		t.Version, t.Note, now.UnixMilli())
	return err
}
