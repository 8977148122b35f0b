package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"time"

	"relais/node/record"
)

// maxHeld is how far ahead of its log's end a record may stand and still be kept.
const maxHeld = 1024

// Row is a verified record on its way in.
type Row struct {
	record.Place
	Kind record.Kind
	Prev [16]byte
	Hash record.Hash
	Wire []byte
}

// Applied counts what Append did with a batch.
type Applied struct {
	New     int // stored for the first time
	Known   int // already here
	Held    int // of the new: those waiting for their predecessors
	TooFar  int // not stored: more than 1,024 ahead
	Forks   int // stored as proofs that a log has forked
	Notices int // of the new
	Stops   int // of the new
}

// Append stores a batch in one transaction. It never fails for what a record
// says: a second payload at one place is kept as the proof of a fork.
func (db *DB) Append(ctx context.Context, rows []Row, now time.Time) (Applied, error) {
	var done Applied
	err := db.inWrite(ctx, func(tx *sql.Tx) error {
		done = Applied{} // of this attempt
		logs := map[record.LogID]*openLog{}
		for _, r := range rows {
			l, err := findLog(ctx, tx, logs, r.LogID)
			if err != nil {
				return err
			}
			if err := l.add(ctx, tx, r, now, &done); err != nil {
				return err
			}
		}
		for _, l := range logs {
			if err := l.save(ctx, tx, &done); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}

// openLog is a log's line while a batch is being added.
type openLog struct {
	id                   int64
	seq                  uint32
	head                 []byte
	held                 int
	notices, revocations int
	forkedAt             sql.NullInt64
	added                bool
}

func findLog(ctx context.Context, tx *sql.Tx, open map[record.LogID]*openLog, id record.LogID) (*openLog, error) {
	if l := open[id]; l != nil {
		return l, nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO logs (hub, incarnation) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		id.Hub[:], id.Incarnation); err != nil {
		return nil, err
	}
	l := &openLog{}
	open[id] = l
	return l, tx.QueryRowContext(ctx, `
		SELECT id, seq, head, held, notices, revocations, forked_at FROM logs
		WHERE hub = ? AND incarnation = ?`, id.Hub[:], id.Incarnation,
	).Scan(&l.id, &l.seq, &l.head, &l.held, &l.notices, &l.revocations, &l.forkedAt)
}

func (l *openLog) add(ctx context.Context, tx *sql.Tx, r Row, now time.Time, done *Applied) error {
	var there []byte
	err := tx.QueryRowContext(ctx, `SELECT hash FROM records WHERE log = ? AND seq = ?`, l.id, r.Seq).Scan(&there)
	switch {
	case err == nil && bytes.Equal(there, r.Hash[:]):
		done.Known++
		return nil
	case err == nil:
		return l.fork(ctx, tx, r, now, done)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	case uint64(r.Seq) > uint64(l.seq)+maxHeld:
		done.TooFar++
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO records (log, seq, kind, prev, hash, wire, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		l.id, r.Seq, r.Kind, r.Prev[:], r.Hash[:], r.Wire, now.UnixMilli()); err != nil {
		return err
	}
	done.New++
	l.count(r.Kind, done)
	l.held++ // until advance finds it next
	l.added = true
	return l.advance(ctx, tx, r)
}

// fork keeps the second payload of a place.
func (l *openLog) fork(ctx context.Context, tx *sql.Tx, r Row, now time.Time, done *Applied) error {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO forks (log, seq, hash, wire, received_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		l.id, r.Seq, r.Hash[:], r.Wire, now.UnixMilli())
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		done.Known++
		return err
	}
	done.New++
	done.Forks++
	l.markFork(r.Seq)
	return nil
}

func (l *openLog) markFork(seq uint32) {
	if !l.forkedAt.Valid || int64(seq) < l.forkedAt.Int64 {
		l.forkedAt = sql.NullInt64{Int64: int64(seq), Valid: true}
	}
	l.added = true
}

func (l *openLog) count(kind record.Kind, done *Applied) {
	switch kind {
	case record.KindNotice:
		l.notices++
		done.Notices++
	case record.KindRevocation:
		l.revocations++
		done.Stops++
	}
}

// advance moves the end of the chain over r and over what was waiting for it.
func (l *openLog) advance(ctx context.Context, tx *sql.Tx, r Row) error {
	if r.Seq != l.seq+1 {
		return nil
	}
	prev, hash := r.Prev[:], r.Hash[:]
	for {
		if !bytes.Equal(prev, l.head[:16]) {
			// The author signed a successor of another record than the one here:
			// its log has two branches, even if the other is not here yet.
			l.markFork(l.seq + 1)
			return nil
		}
		l.seq, l.head = l.seq+1, bytes.Clone(hash)
		l.held--
		err := tx.QueryRowContext(ctx, `SELECT prev, hash FROM records WHERE log = ? AND seq = ?`,
			l.id, l.seq+1).Scan(&prev, &hash)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (l *openLog) save(ctx context.Context, tx *sql.Tx, done *Applied) error {
	if !l.added {
		return nil
	}
	done.Held += l.held
	_, err := tx.ExecContext(ctx, `
		UPDATE logs SET seq = ?, head = ?, held = ?, notices = ?, revocations = ?, forked_at = ? WHERE id = ?`,
		l.seq, l.head, l.held, l.notices, l.revocations, l.forkedAt, l.id)
	return err
}
