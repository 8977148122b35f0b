package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"relais/node/journal"
)

// Evidence is a database opened only to be verified: in a folder that may be in
// use, or a copy of the file alone. It takes no lock, changes nothing, and
// trusts nothing of what it reads, the schema included.
type Evidence struct {
	pool *sql.DB
	conn *sql.Conn
}

// OpenEvidence opens the database file at path for verification. Its error wraps
// os.ErrNotExist when there is none.
func OpenEvidence(ctx context.Context, path string) (*Evidence, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	options := url.Values{"mode": {"ro"}, "_query_only": {"on"}, "_busy_timeout": {milliseconds(busyTimeout)}}
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		// Nothing beside it: the file is all there is, and SQLite need not make
		// the shared memory it uses to coordinate with a writer.
		options.Set("immutable", "1")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite3", source(path, options))
	if err != nil {
		return nil, err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	e := &Evidence{pool, conn}
	_, err = conn.ExecContext(ctx, `PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; BEGIN`)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close closes the file.
func (e *Evidence) Close() error { return errors.Join(e.conn.Close(), e.pool.Close()) }

// Begun tells whether the file holds anything: without a schema, or without a
// row that says what it is nor an entry, making it was interrupted.
func (e *Evidence) Begun(ctx context.Context) (begun bool, err error) {
	err = e.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master)`).Scan(&begun)
	if err != nil || !begun {
		return false, err
	}
	err = e.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM meta) OR EXISTS (SELECT 1 FROM journal)`).Scan(&begun)
	return begun, err
}

// Reader reads the snapshot under verification.
func (e *Evidence) Reader() *Reader { return &Reader{e.conn} }

// Entries calls f for each entry in the order of the file, with its number and
// the tree hashes kept beside it. A row that cannot be read as an entry is given
// with its error, and is the last. Its own error is f's.
func (e *Evidence) Entries(ctx context.Context, f func(seq int64, entry journal.Entry, hashes []byte, err error) error) error {
	rows, err := e.conn.QueryContext(ctx, `SELECT seq, at, kind, actor, subject, person, public, mac, sealed, hashes
		FROM journal ORDER BY seq`)
	if err != nil {
		return f(-1, journal.Entry{}, nil, err)
	}
	defer rows.Close()
	for rows.Next() {
		seq, entry, hashes, err := scanEntry(rows)
		if stop := f(seq, entry, hashes, err); stop != nil || err != nil {
			return stop
		}
	}
	if err := rows.Err(); err != nil {
		return f(-1, journal.Entry{}, nil, err)
	}
	return nil
}

// scanEntry reads a row strictly: a value of another type than was written is an
// alteration even where it could be converted.
func scanEntry(rows *sql.Rows) (seq int64, e journal.Entry, hashes []byte, err error) {
	var v [10]any
	if err := rows.Scan(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9]); err != nil {
		return -1, e, nil, err
	}
	s := strict{v: v[:]}
	seq = s.integer()
	e.At = time.UnixMilli(s.integer()).UTC()
	e.Kind, e.Actor, e.Subject = journal.Kind(s.text()), s.text(), s.text()
	person := s.optional(len(e.Person))
	e.Public = s.octets()
	mac := s.optional(len(e.MAC))
	e.Sealed = s.optional(-1)
	hashes = s.octets()
	copy(e.Person[:], person)
	copy(e.MAC[:], mac)
	if (person == nil) != (mac == nil) || (mac == nil) != (e.Sealed == nil) {
		s.fail("personal part is there by half")
	}
	return seq, e, hashes, s.err
}

// strict takes the values of a row one by one and keeps the first error.
type strict struct {
	v   []any
	at  int
	err error
}

func (s *strict) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

func take[T any](s *strict) (value T) {
	value, ok := s.v[s.at].(T)
	if !ok {
		s.fail("column %d is %T", s.at+1, s.v[s.at])
	}
	s.at++
	return value
}

func (s *strict) integer() int64 { return take[int64](s) }
func (s *strict) text() string   { return take[string](s) }
func (s *strict) octets() []byte { return take[[]byte](s) }

// optional takes octets of the size given, -1 for any, or NULL.
func (s *strict) optional(size int) []byte {
	if s.v[s.at] == nil {
		s.at++
		return nil
	}
	b := s.octets()
	if size >= 0 && len(b) != size {
		s.fail("column %d holds %d octets, not %d", s.at, len(b), size)
	}
	return b
}

// Checkpoints lists the signed tree heads by number of entries.
func (e *Evidence) Checkpoints(ctx context.Context) ([]Checkpoint, error) {
	var list []Checkpoint
	rows, err := e.conn.QueryContext(ctx, `SELECT size, note FROM checkpoints ORDER BY size`)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var v [2]any
		if err := rows.Scan(&v[0], &v[1]); err != nil {
			return err
		}
		s := strict{v: v[:]}
		list = append(list, Checkpoint{Size: s.integer(), Note: s.octets()})
		return s.err
	})
}

// Check looks for damage of the file as a whole and returns the first, or nil.
func (e *Evidence) Check(ctx context.Context) error {
	var answer string
	if err := e.conn.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&answer); err != nil {
		return err
	}
	if answer != "ok" {
		return errors.New(answer)
	}
	return nil
}
