// Package store keeps one hub's rows in SQLite. It is the only door to
// go-sqlite3 under node.
//
// # Writing
//
// There is one way to write: Write, which runs a function, one at a time, inside
// the running transaction or a savepoint of it, and returns once that transaction
// is on the disk. Callers that arrive together share one
// commit and so one fsync; a caller alone waits for nobody. The function must
// not wait for a network, a TPM or Argon2: everybody waits with it. It must not
// call Write or Read: it would wait for itself.
//
// A savepoint that touched a table of the domain without appending a journal
// entry is rolled back: nothing is done on a hub that its journal does not say.
//
// # Reading
//
// Read runs a function on one snapshot, from a pool that cannot write. Read
// queries are methods of *Reader, write queries of *Tx, in one file a noun.
//
// # Durability
//
// go-sqlite3 opens a WAL database with synchronous=NORMAL, which loses
// acknowledged commits when the power is cut. Open asks for FULL, reads it back
// and refuses to serve otherwise.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"relais/node/journal"
)

const (
	readers      = 4   // connections of the read pool
	statements   = 256 // prepared statements kept by each connection
	busyTimeout  = 5 * time.Second
	cacheKiB     = 8 << 10  // pages kept in memory by the writer
	readCacheKiB = 32 << 10 // and by each reader: the indexes of 100,000 mandates
	maxLogPages  = 8000     // in the write-ahead log, after which SQLite shortens it inside a COMMIT
	lockFile     = "lock"
	snapshotsDir = "snapshots"
)

// The ways Open may refuse.
var (
	// ErrNoDatabase means that there is no database at the path.
	ErrNoDatabase = errors.New("no database here")
	// ErrInUse means that another process holds the folder.
	ErrInUse = errors.New("the data folder is in use")
	// ErrNewerSchema means that a later version of the program wrote this database.
	ErrNewerSchema = errors.New("the database was written by a later version")
	// ErrNotDurable means that SQLite would acknowledge a commit before it is on
	// the disk.
	ErrNotDurable = errors.New("the database does not sync fully")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Options are what a store needs from outside.
type Options struct {
	Create bool             // make the database when there is none
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: discards
	// Lock is the folder's, acquired before; nil: Open acquires it. It is the
	// store's from then on, released when Open fails and by Close.
	Lock *Lock

	synchronous string // of the writer; "" is FULL. Tests set it to show what FULL is for.
	unchecked   bool   // do not read synchronous back; for those same tests
}

// DB is an open store. Its methods may be called from any goroutine.
type DB struct {
	path string
	now  func() time.Time
	log  *slog.Logger
	lock *Lock

	readers *sql.DB
	pool    *sql.DB   // of one connection, the writer's
	writer  *sql.Conn // owned by who has the turn

	// Owned by who has the turn.
	raw     *sqlite3.SQLiteConn
	rule    rule
	tree    journal.Tree // as of the last savepoint
	commits int          // since the write-ahead log was last shortened
	crowd   int          // callers of the last group
	erased  bool         // and still in the write-ahead log
	undo    []func()     // of the running transaction: Tx.OnUndo

	turn    chan struct{} // of one: full while somebody is the writer
	untidy  chan struct{} // the writer hands its turn to the tidier
	calls   chan *call    // who comes meanwhile
	waiting atomic.Int64  // callers of Write that the writer has not taken yet
	closing chan struct{}
	closed  sync.Once
	stopped chan struct{} // closed when the tidier has ended
}

// Open opens the database at path, brings its schema up to date and starts the
// writer. Its folder is locked: a second process gets ErrInUse. The other errors
// of its own are ErrNoDatabase, ErrNewerSchema and ErrNotDurable.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	db := &DB{
		path: path, now: o.Now, log: o.Logger,
		turn: make(chan struct{}, 1), untidy: make(chan struct{}), calls: make(chan *call),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if err := db.open(ctx, o); err != nil {
		db.release()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	go db.tidy()
	return db, nil
}

func (db *DB) open(ctx context.Context, o Options) error {
	var err error
	if _, err := os.Stat(filepath.Dir(db.path)); errors.Is(err, os.ErrNotExist) {
		return ErrNoDatabase
	}
	if db.lock = o.Lock; db.lock == nil {
		if db.lock, err = Acquire(filepath.Dir(db.path)); err != nil {
			return err
		}
	}
	if err := present(db.path, o.Create); err != nil {
		return err
	}
	if left, err := os.Stat(db.path + "-wal"); err == nil && left.Size() > 0 {
		db.erased = true // for all one knows: the last process was cut off
	}
	if err := db.openWriter(ctx, o); err != nil {
		return err
	}
	if err := db.migrate(ctx, embedded); err != nil {
		return err
	}
	if err := db.resumeTree(ctx); err != nil {
		return err
	}
	db.watch()
	return db.openReaders(ctx)
}

// present makes an empty file readable by its owner alone, or says that there is
// none. SQLite gives the same rights to the files it puts beside it.
func present(path string, create bool) error {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return ErrNoDatabase
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// openWriter opens the connection that writes. Like each reader it is used by one
// goroutine at a time: it needs no lock of SQLite's.
func (db *DB) openWriter(ctx context.Context, o Options) (err error) {
	mode := o.synchronous
	if mode == "" {
		mode = "FULL"
	}
	options := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {mode}, "_foreign_keys": {"on"},
		"_busy_timeout": {milliseconds(busyTimeout)}, "_secure_delete": {"on"}, "_mutex": {"no"},
		"_stmt_cache_size": {strconv.Itoa(statements)}, "_cache_size": {strconv.Itoa(-cacheKiB)},
	}
	if mode == "FULL" {
		options.Set("vfs", holdingWAL)
	}
	db.pool, err = sql.Open("sqlite3", source(db.path, options))
	if err != nil {
		return err
	}
	db.pool.SetMaxOpenConns(1)
	if db.writer, err = db.pool.Conn(ctx); err != nil {
		return err
	}
	if err := db.writer.Raw(func(c any) error { db.raw = c.(*sqlite3.SQLiteConn); return nil }); err != nil {
		return err
	}
	// What a savepoint needs to be undone is a copy of each page it changes: in
	// memory, not in a temporary file.
	if err := db.exec("PRAGMA temp_store = MEMORY"); err != nil {
		return err
	}
	// The writer shortens the log itself, after the answers (see shorten). SQLite
	// would do it inside the COMMIT of every fortieth grant.
	if err := db.exec("PRAGMA wal_autocheckpoint = " + strconv.Itoa(maxLogPages)); err != nil {
		return err
	}
	if o.unchecked {
		return nil
	}
	return db.checkDurable(ctx)
}

// checkDurable reads back what decides whether an acknowledged commit survives
// a power cut, and whether foreign keys hold.
func (db *DB) checkDurable(ctx context.Context) error {
	for _, want := range []struct{ pragma, value string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"},
	} {
		var got string
		if err := db.writer.QueryRowContext(ctx, "PRAGMA "+want.pragma).Scan(&got); err != nil {
			return fmt.Errorf("read back %s: %w", want.pragma, err)
		}
		if got != want.value {
			return fmt.Errorf("%w: PRAGMA %s is %s, not %s", ErrNotDurable, want.pragma, got, want.value)
		}
	}
	return nil
}

func (db *DB) openReaders(ctx context.Context) (err error) {
	db.readers, err = sql.Open("sqlite3", source(db.path, url.Values{
		"mode": {"ro"}, "_query_only": {"on"}, "_busy_timeout": {milliseconds(busyTimeout)}, "_mutex": {"no"},
		"_stmt_cache_size": {strconv.Itoa(statements)}, "_cache_size": {strconv.Itoa(-readCacheKiB)},
	}))
	if err != nil {
		return err
	}
	db.readers.SetMaxOpenConns(readers)
	db.readers.SetMaxIdleConns(readers)
	return db.readers.PingContext(ctx)
}

// Close takes the last turn, once the calls that were taken are done, and releases
// the folder. Later calls get ErrClosed.
func (db *DB) Close() error {
	db.closed.Do(func() {
		close(db.closing)
		db.turn <- struct{}{}
	})
	<-db.stopped
	return db.release()
}

// release closes what open opened, however far it went.
func (db *DB) release() error {
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
		db.readers = nil
	}
	if db.writer != nil {
		errs = append(errs, db.writer.Close())
		db.writer = nil
	}
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
		db.pool = nil
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Release())
		db.lock = nil
	}
	return errors.Join(errs...)
}

// source is the data source name of a database file, whatever its path holds.
func source(path string, options url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: options.Encode()}).String()
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
