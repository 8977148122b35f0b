// Package store keeps what the national service knows of one territory, in one
// SQLite file.
//
// It promises what a hub's own store promises: a write that returned nil is on
// the disk (WAL with synchronous=FULL, read back at start, because the driver's
// default loses acknowledged commits on a power cut), one process holds the
// file, and one connection writes while readers never wait for it.
//
// Records come in verified and go out as they came: nothing here decodes one.
package store

import (
	"context"
	"database/sql"
	_ "embed"
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

// schemaVersion is what user_version says of a file this binary made.
const schemaVersion = 1

//go:embed schema.sql
var schema string

// The reasons for which Open refuses a folder.
var (
	ErrLocked = errors.New("another process holds the data folder")
	ErrNewer  = errors.New("the database was made by a newer version")
	ErrNotOur = errors.New("the database is not one of the national service")
)

// DB is an open database. Its methods may be called from many goroutines.
type DB struct {
	write *sql.DB // one connection, so writes queue
	read  *sql.DB
	lock  *os.File // nil when open for reading only
}

// Open opens, or makes, the database in the folder and holds it until Close.
func Open(ctx context.Context, dir string) (*DB, error) {
	lock, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, fileName)
	db := &DB{lock: lock, write: connect(path, "rwc"), read: connect(path, "ro")}
	db.write.SetMaxOpenConns(1)
	if err := db.prepare(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", fileName, err)
	}
	return db, nil
}

// OpenReadOnly opens the database beside a running service, for a look.
func OpenReadOnly(ctx context.Context, dir string) (*DB, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	db := &DB{read: connect(path, "ro")}
	if err := db.checkVersion(ctx, db.read); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", fileName, err)
	}
	return db, nil
}

// Close releases the file.
func (db *DB) Close() error {
	err := db.read.Close()
	if db.write != nil {
		err = errors.Join(err, db.write.Close())
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

func connect(path, mode string) *sql.DB {
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

// prepare makes the schema in an empty file and checks everything else.
func (db *DB) prepare(ctx context.Context) error {
	if err := checkDurable(ctx, db.write); err != nil {
		return err
	}
	var tables int
	if err := db.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return db.checkVersion(ctx, db.write)
	}
	return db.inWrite(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA user_version = %d;", schemaVersion))
		return err
	})
}

// checkDurable reads back what the DSN asked for: a misspelt parameter is
// silently ignored by the driver.
func checkDurable(ctx context.Context, db *sql.DB) error {
	const full = 2
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	var synchronous int
	if err := db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return err
	}
	if !strings.EqualFold(mode, "wal") || synchronous != full {
		return fmt.Errorf("the database would not survive a power cut: journal_mode=%s synchronous=%d", mode, synchronous)
	}
	return nil
}

func (db *DB) checkVersion(ctx context.Context, conn *sql.DB) error {
	var version int
	if err := conn.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrNewer, version, schemaVersion)
	case version < schemaVersion:
		return ErrNotOur
	}
	return nil
}

// inWrite runs f in a transaction that is on the disk when inWrite returns nil.
func (db *DB) inWrite(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after Commit
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
