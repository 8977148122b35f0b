package store

import (
	"context"
	"database/sql"
	"errors"
)

// session asks the database, within a transaction or outside. It is the one door
// to the driver: no error passes but through explain.
type session struct {
	to      asked
	explain func(error) error
}

// asked is a pool or a transaction; database/sql has no name for what they share.
type asked interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (db *DB) on(to asked) session { return session{to, db.dialect.explain} }

// exec returns how many rows changed.
func (s session) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := s.to.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, s.explain(err)
	}
	n, err := result.RowsAffected()
	return n, s.explain(err)
}

// one reads one row; sql.ErrNoRows when there is none.
func (s session) one(ctx context.Context, into []any, query string, args ...any) error {
	return s.explain(s.to.QueryRowContext(ctx, query, args...).Scan(into...))
}

// errEnough ends each without an error.
var errEnough = errors.New("enough")

// each hands over one row after the other.
func (s session) each(ctx context.Context, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.to.QueryContext(ctx, query, args...)
	if err != nil {
		return s.explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return s.explain(err)
		}
	}
	return s.explain(rows.Err())
}
