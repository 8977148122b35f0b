package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"relais/node/journal"
)

// Reader reads one snapshot. Every read query is a method on it. The connection
// keeps its statements prepared: the text of a query is a constant.
type Reader struct{ conn *sql.Conn }

// Query runs a query. Its rows must be read to the end or closed before the
// function ends.
func (r *Reader) Query(query string, args ...any) (*sql.Rows, error) {
	return r.conn.QueryContext(context.Background(), query, args...)
}

// QueryRow runs a query for at most one row.
func (r *Reader) QueryRow(query string, args ...any) *sql.Row {
	return r.conn.QueryRowContext(context.Background(), query, args...)
}

// Tx is one savepoint of the writer. Every write query is a method on it. It
// reads its own writes.
type Tx struct {
	*Reader
	// Now is the one instant of this change: UTC, cut to the millisecond.
	Now time.Time

	db *DB
}

// Exec runs one statement that changes rows.
func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	before := tx.db.rule.seen
	result, err := tx.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return nil, err
	}
	// DELETE without WHERE empties a table in one go, and the update hook is not
	// told. Whatever table it was, ask for an entry.
	if n, err := result.RowsAffected(); err == nil && n > 0 && tx.db.rule.seen == before {
		tx.db.rule.touched("emptied at once (write DELETE … WHERE true)")
	}
	return result, nil
}

// OnUndo calls f, on the writer goroutine, when this change is undone after all:
// by its own error, or by a commit that fails. What a change shows outside the
// database, for the transactions that follow it, is taken back so. f must not
// block.
func (tx *Tx) OnUndo(f func()) { tx.db.undo = append(tx.db.undo, f) }

// JournalRow is an entry as it is kept.
type JournalRow = journal.Entry

// Each calls scan for each row of a query and closes it: the usual way to read
// a list.
func Each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// Found turns sql.ErrNoRows into false.
func Found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Millis is how a time is kept: Unix milliseconds UTC, and 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Time reads what Millis wrote.
func Time(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// changed tells whether a statement changed a row.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
