// Package store keeps what the national service knows of one territory: in one
// SQLite file, or in a PostgreSQL database that several instances share.
//
// It promises what a hub's own store promises: a write that returned nil is on
// the disk (SQLite in WAL with synchronous=FULL, PostgreSQL with fsync and
// synchronous_commit, both read back at start), writes stand in one queue, and
// readers never wait for it. One process holds the SQLite file; the instances
// over one PostgreSQL database queue at a lock of that database, so that each
// write sees all of those before it, whoever made them.
//
// Both take one set of queries. The trap: SQLite counts the parameters $1, $2 …
// as they come, so in each query they first appear in this order. What the two
// do not say alike is in sqlite.go and postgres.go.
//
// Records come in verified and go out as they came: nothing here decodes one.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// The reasons for which Open refuses a database.
var (
	ErrLocked   = errors.New("another process holds the data folder")
	ErrNewer    = errors.New("the database was made by a newer version")
	ErrBehind   = errors.New("the database is of an older version: start the service once")
	ErrNotOur   = errors.New("the database is not one of the national service")
	ErrPowerCut = errors.New("the database would not survive a power cut")
	ErrEncoding = errors.New("the database is not encoded in UTF8: make it with ENCODING 'UTF8' TEMPLATE template0")
)

// At says where the database is. The zero DSN means a file in the folder Dir.
type At struct {
	Dir string
	DSN DSN
}

// DB is an open database. Its methods may be called from many goroutines.
type DB struct {
	session // for reading
	dialect dialect
	read    *sql.DB
	write   *sql.DB       // nil when open for reading only; may be read
	turn    chan struct{} // one place: the writes of this process queue here
	lock    *os.File      // nil when open for reading only, or beside others
}

// dialect is what the two databases do not say alike.
type dialect struct {
	steps   []string // the schema of version n is made by the first n
	begin   string   // what a write begins with; "" for nothing
	stamp   string   // format of the statement that notes the version
	version func(context.Context, session) (int, error)
	sound   func(context.Context, session) error // may this database be trusted with a write?
	explain func(error) error
}

//go:embed schema
var schemas embed.FS

// steps reads the numbered steps of one schema. Those that were released are
// never edited.
func steps(name string) (all []string) {
	for {
		text, err := fs.ReadFile(schemas, fmt.Sprintf("schema/%s_%d.sql", name, len(all)+1))
		if err != nil {
			return all
		}
		all = append(all, string(text))
	}
}

// Open opens, or makes, the database and its schema. A file is held until Close.
func Open(ctx context.Context, at At) (*DB, error) {
	db, err := connect(at)
	if err != nil {
		return nil, err
	}
	db.turn = make(chan struct{}, 1)
	if err := db.prepare(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", at, err)
	}
	return db, nil
}

// OpenReadOnly opens the database beside a running service, for a look.
func OpenReadOnly(ctx context.Context, at At) (*DB, error) {
	db, err := connectReadOnly(at)
	if err != nil {
		return nil, err
	}
	version, err := db.dialect.version(ctx, db.session)
	switch {
	case err != nil:
	case version == 0:
		err = ErrNotOur
	case version < len(db.dialect.steps):
		err = ErrBehind
	default:
		err = db.checkVersion(version)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", at, err)
	}
	return db, nil
}

// String says which database it is, and nothing of a DSN.
func (at At) String() string {
	if at.DSN.IsZero() {
		return fileName
	}
	return at.DSN.String()
}

func connect(at At) (*DB, error) {
	if at.DSN.IsZero() {
		return connectFile(at.Dir)
	}
	return connectServer(at.DSN), nil
}

func connectReadOnly(at At) (*DB, error) {
	if at.DSN.IsZero() {
		return connectFileReadOnly(at.Dir)
	}
	return connectServer(at.DSN), nil
}

// Close releases the database.
func (db *DB) Close() error {
	err := db.read.Close()
	if db.write != nil && db.write != db.read {
		err = errors.Join(err, db.write.Close())
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

// prepare refuses a database that cannot be trusted, and brings the schema up to
// date. Instances that start together do it one after the other.
func (db *DB) prepare(ctx context.Context) error {
	if err := db.dialect.sound(ctx, db.on(db.write)); err != nil {
		return err
	}
	return db.inWrite(ctx, func(tx session) error {
		version, err := db.dialect.version(ctx, tx)
		if err != nil || version == len(db.dialect.steps) {
			return err
		}
		if err := db.checkVersion(version); err != nil {
			return err
		}
		for _, step := range db.dialect.steps[version:] {
			if _, err := tx.exec(ctx, step); err != nil {
				return err
			}
		}
		_, err = tx.exec(ctx, fmt.Sprintf(db.dialect.stamp, len(db.dialect.steps)))
		return err
	})
}

func (db *DB) checkVersion(version int) error {
	if known := len(db.dialect.steps); version > known {
		return fmt.Errorf("%w: schema %d, this one knows %d", ErrNewer, version, known)
	}
	return nil
}

// maxTries is how often a write is begun that the database chose to undo so
// that another could end.
const maxTries = 4

// inWrite runs f in a transaction that is on the disk when inWrite returns nil.
// f may run again: it starts afresh each time.
func (db *DB) inWrite(ctx context.Context, f func(session) error) error {
	for try := 1; ; try++ {
		err := db.writeOnce(ctx, f)
		if !errors.Is(err, errUndone) || try == maxTries {
			return err
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, f func(session) error) error {
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return db.dialect.explain(ctx.Err())
	}
	// Read committed: each statement after the lock was had sees what those who
	// held it before wrote. A snapshot taken while waiting would not.
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return db.dialect.explain(err)
	}
	defer tx.Rollback() // no effect after Commit
	s := db.on(tx)
	if db.dialect.begin != "" {
		if _, err := s.exec(ctx, db.dialect.begin); err != nil {
			return err
		}
	}
	if err := f(s); err != nil {
		return err
	}
	return db.dialect.explain(tx.Commit())
}
