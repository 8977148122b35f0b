package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"relais/node/durable"
)

// embedded are the migrations, NNNN_noun.sql. Once released, one is never
// edited: a change is a new one. schema.sql shows where they lead.
//
//go:embed migrations/*.sql
var embedded embed.FS

// migration is one step of the schema.
type migration struct {
	number int // PRAGMA user_version once it is done
	name   string
	text   string
}

// migrate brings the schema to the last migration of files. Each is one
// transaction; before each, when the database holds something, a copy is kept in
// the folder's snapshots.
func (db *DB) migrate(ctx context.Context, files fs.FS) error {
	steps, err := migrations(files)
	if err != nil {
		return err
	}
	var at int
	if err := db.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&at); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if last := steps[len(steps)-1].number; at > last {
		return fmt.Errorf("%w: schema %d, this program knows %d; %s", ErrNewerSchema, at, last, db.wayBack(last))
	}
	for _, step := range steps {
		if step.number <= at {
			continue
		}
		if err := db.snapshot(ctx, at); err != nil {
			return err
		}
		if err := db.step(ctx, step); err != nil {
			return err
		}
		at = step.number
	}
	return nil
}

func (db *DB) step(ctx context.Context, m migration) error {
	text := "BEGIN IMMEDIATE;\n" + m.text + "\n;PRAGMA user_version = " + strconv.Itoa(m.number) + ";\nCOMMIT;"
	if _, err := db.writer.ExecContext(ctx, text); err != nil {
		_, _ = db.writer.ExecContext(ctx, "ROLLBACK") // the error below says why
		return fmt.Errorf("migration %s: %w", m.name, err)
	}
	db.log.InfoContext(ctx, "schema migrated", "schema", m.number)
	return nil
}

// snapshot copies the database as it stands at a schema, so that the version of
// the program which knows that schema can go back to it. A database without an
// entry has nothing to go back to.
func (db *DB) snapshot(ctx context.Context, schema int) error {
	var holds bool
	if schema > 0 {
		if err := db.writer.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM journal)`).Scan(&holds); err != nil {
			return err
		}
	}
	if !holds {
		return nil
	}
	path := db.snapshotPath(schema)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) { // of an earlier attempt
		return err
	}
	if _, err := db.writer.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("snapshot of schema %d: %w", schema, err)
	}
	return os.Chmod(path, 0o600)
}

// DropSnapshots removes every snapshot: what opens none of their rows any more is
// no way back.
func (db *DB) DropSnapshots() error {
	dir := filepath.Join(filepath.Dir(db.path), snapshotsDir)
	held, err := filepath.Glob(filepath.Join(dir, "schema-*.db"))
	if err != nil || len(held) == 0 {
		return err
	}
	for _, path := range held {
		err = errors.Join(err, os.Remove(path))
	}
	return errors.Join(err, durable.SyncFolder(dir))
}

func (db *DB) snapshotPath(schema int) string {
	return filepath.Join(filepath.Dir(db.path), snapshotsDir, fmt.Sprintf("schema-%04d.db", schema))
}

// wayBack names the snapshot that a program knowing schema can go back to.
func (db *DB) wayBack(schema int) string {
	path := db.snapshotPath(schema)
	if _, err := os.Stat(path); err != nil {
		return "install that version again (there is no snapshot of schema " + strconv.Itoa(schema) + ")"
	}
	return "install that version again, or go back to " + path + " and lose what was done since"
}

// migrations reads and orders the files.
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	steps := make([]migration, 0, len(names))
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		prefix, _, _ := strings.Cut(filepath.Base(name), "_")
		number, err := strconv.Atoi(prefix)
		if err != nil || number < 1 {
			return nil, fmt.Errorf("migration %s does not begin with its number", name)
		}
		steps = append(steps, migration{number, filepath.Base(name), string(text)})
	}
	if len(steps) == 0 {
		return nil, fs.ErrNotExist
	}
	return steps, nil
}
