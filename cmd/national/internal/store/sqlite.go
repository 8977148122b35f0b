package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"; the one door of cmd/national
)

// fileName is the database inside the data folder.
const fileName = "national.db"

var sqlite = dialect{
	steps:   steps("sqlite"),
	stamp:   `PRAGMA user_version = %d`,
	version: versionOfFile,
	sound:   soundFile,
	explain: func(err error) error { return err }, // a file keeps no secret name
}

func connectFile(dir string) (*DB, error) {
	lock, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fileName)
	db := &DB{dialect: sqlite, lock: lock, write: openFile(path, "rwc"), read: openFile(path, "ro")}
	db.session = db.on(db.read)
	return db, nil
}

func connectFileReadOnly(dir string) (*DB, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db := &DB{dialect: sqlite, read: openFile(path, "ro")}
	db.session = db.on(db.read)
	return db, nil
}

func openFile(path, mode string) *sql.DB {
	query := url.Values{
		"mode":          {mode},
		"_busy_timeout": {"5000"},
		"_foreign_keys": {"on"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
	}
	if mode == "ro" {
		query.Set("_query_only", "on")
		query.Set("_txlock", "deferred")
	} else {
		query.Set("_journal_mode", "WAL")
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}
	db, err := sql.Open("sqlite3", name.String())
	if err != nil {
		panic(err) // only an unknown driver name can fail here
	}
	return db
}

func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	return f, nil
}

// versionOfFile is the version of the schema; 0 for an empty file.
func versionOfFile(ctx context.Context, s session) (int, error) {
	var version, tables int
	if err := s.one(ctx, []any{&version}, `PRAGMA user_version`); err != nil || version > 0 {
		return version, err
	}
	err := s.one(ctx, []any{&tables}, `SELECT count(*) FROM sqlite_schema`)
	if err == nil && tables > 0 {
		err = ErrNotOur
	}
	return 0, err
}

// soundFile reads back what openFile asked for: a misspelt parameter is silently
// ignored by the driver.
func soundFile(ctx context.Context, s session) error {
	const full = 2
	var mode string
	if err := s.one(ctx, []any{&mode}, `PRAGMA journal_mode`); err != nil {
		return err
	}
	var synchronous int
	if err := s.one(ctx, []any{&synchronous}, `PRAGMA synchronous`); err != nil {
		return err
	}
	if !strings.EqualFold(mode, "wal") || synchronous != full {
		return fmt.Errorf("%w: journal_mode=%s synchronous=%d", ErrPowerCut, mode, synchronous)
	}
	return nil
}
