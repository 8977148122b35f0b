package store

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"relais/node/record"
)

// maxHeld is how many records of one log may wait for a predecessor.
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
	New       int // stored for the first time
	Known     int // already here
	Held      int // of the new: those waiting for their predecessors
	Postponed int // not stored: too many of their log wait already
	Forks     int // logs found to have two histories
}

// Append stores a batch in one transaction. It never fails for what a record
// says: a second record at one place is kept as the proof of a fork.
func (db *DB) Append(ctx context.Context, rows []Row, now time.Time) (Applied, error) {
	var b *batch
	err := db.inWrite(ctx, func(tx *sql.Tx) error {
		b = &batch{ctx: ctx, tx: tx, now: now.UnixMilli(), logs: map[record.LogID]*openLog{}}
		for _, r := range rows {
			if err := b.add(r); err != nil {
				return err
			}
		}
		return b.save()
	})
	if err != nil {
		return Applied{}, err
	}
	return b.done, nil
}

// batch is one transaction of Append.
type batch struct {
	ctx  context.Context
	tx   *sql.Tx
	now  int64 // Unix ms
	logs map[record.LogID]*openLog
	done Applied
}

// openLog is a log's line while a batch is being added.
type openLog struct {
	id                            int64
	seq                           uint32
	head                          []byte
	held                          int
	records, notices, revocations int
	new                           []uint32 // seqs that came with this batch beyond the end
	forkedAt                      sql.NullInt64
	changed                       bool
}

func (b *batch) log(id record.LogID) (*openLog, error) {
	if l := b.logs[id]; l != nil {
		return l, nil
	}
	if _, err := b.tx.ExecContext(b.ctx, `
		INSERT INTO logs (hub, incarnation) VALUES (?, ?) ON CONFLICT DO NOTHING`,
		id.Hub[:], id.Incarnation); err != nil {
		return nil, err
	}
	l := &openLog{}
	b.logs[id] = l
	return l, b.tx.QueryRowContext(b.ctx, `
		SELECT id, seq, head, held, records, notices, revocations, forked_at FROM logs
		WHERE hub = ? AND incarnation = ?`, id.Hub[:], id.Incarnation,
	).Scan(&l.id, &l.seq, &l.head, &l.held, &l.records, &l.notices, &l.revocations, &l.forkedAt)
}

func (b *batch) add(r Row) error {
	l, err := b.log(r.LogID)
	if err != nil {
		return err
	}
	if room, err := b.room(l, r); err != nil || !room {
		b.done.Postponed++
		return err
	}
	result, err := b.tx.ExecContext(b.ctx, `
		INSERT INTO records (log, seq, hash, prev, kind, wire, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		l.id, r.Seq, r.Hash[:], r.Prev[:], r.Kind, r.Wire, b.now)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		b.done.Known++
		return err
	}
	b.done.New++
	l.count(r.Kind)
	if err := b.checkFork(l, r); err != nil {
		return err
	}
	if r.Seq <= l.seq {
		return nil
	}
	l.held++
	l.new = append(l.new, r.Seq)
	return b.advance(l)
}

// room tells whether one more record of a log may be kept: not one too many that
// waits, nor one of a log too many of its author.
func (b *batch) room(l *openLog, r Row) (bool, error) {
	if r.Seq > l.seq+1 && l.held >= maxHeld {
		return false, nil
	}
	if l.records > 0 {
		return true, nil
	}
	var others int
	err := b.tx.QueryRowContext(b.ctx, `SELECT count(*) FROM logs l WHERE l.hub = ? AND l.id <> ?
		AND EXISTS (SELECT 1 FROM records r WHERE r.log = l.id)`, r.Hub[:], l.id).Scan(&others)
	if err != nil || others < record.MaxLogs {
		return err == nil, err
	}
	delete(b.logs, r.LogID)
	_, err = b.tx.ExecContext(b.ctx, `DELETE FROM logs WHERE id = ?`, l.id)
	return false, err
}

func (l *openLog) count(kind record.Kind) {
	l.changed = true
	l.records++
	switch kind {
	case record.KindNotice:
		l.notices++
	case record.KindRevocation:
		l.revocations++
	}
}

// checkFork compares a new record with what stands at its place and beside it.
// Two records at one place, or a link that does not hold, mean that the log had
// two histories from there.
func (b *batch) checkFork(l *openLog, r Row) error {
	rows, err := b.tx.QueryContext(b.ctx, `
		SELECT seq, hash, prev FROM records WHERE log = ? AND seq BETWEEN ? AND ?`,
		l.id, int64(r.Seq)-1, int64(r.Seq)+1)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq uint32
		var hash, prev []byte
		if err := rows.Scan(&seq, &hash, &prev); err != nil {
			return err
		}
		switch {
		case seq == r.Seq && !bytes.Equal(hash, r.Hash[:]), seq == r.Seq+1 && !bytes.Equal(prev, r.Hash[:16]):
			b.fork(l, r.Seq)
		case seq+1 == r.Seq && !bytes.Equal(r.Prev[:], hash[:16]):
			b.fork(l, seq)
		}
	}
	return rows.Err()
}

func (b *batch) fork(l *openLog, seq uint32) {
	if !l.forkedAt.Valid {
		b.done.Forks++
	} else if l.forkedAt.Int64 <= int64(seq) {
		return
	}
	l.forkedAt = sql.NullInt64{Int64: int64(seq), Valid: true}
}

// advance moves the end of a log over what now follows without a gap.
func (b *batch) advance(l *openLog) error {
	for {
		var hash []byte
		var twins int
		err := b.tx.QueryRowContext(b.ctx, `SELECT min(hash), count(*) FROM records WHERE log = ? AND seq = ?`,
			l.id, l.seq+1).Scan(&hash, &twins)
		if err != nil || twins == 0 {
			return err
		}
		l.seq, l.head, l.held = l.seq+1, hash, l.held-twins
	}
}

// rehash finds the hash again of a log with two histories: it is over all their
// variants.
func (b *batch) rehash(l *openLog) error {
	if !l.forkedAt.Valid || l.forkedAt.Int64 > int64(l.seq) {
		return nil
	}
	rows, err := b.tx.QueryContext(b.ctx, `
		SELECT seq, hash, prev FROM records WHERE log = ? AND seq BETWEEN ? AND ? ORDER BY seq, hash`,
		l.id, l.forkedAt.Int64, l.seq)
	hash, err := logHash(rows, err)
	l.head = hash[:]
	return err
}

func (b *batch) save() error {
	for _, l := range b.logs {
		if !l.changed {
			continue
		}
		for _, seq := range l.new {
			if seq > l.seq {
				b.done.Held++
			}
		}
		if err := b.rehash(l); err != nil {
			return err
		}
		if _, err := b.tx.ExecContext(b.ctx, `
			UPDATE logs SET seq = ?, head = ?, held = ?, records = ?, notices = ?, revocations = ?, forked_at = ?
			WHERE id = ?`,
			l.seq, l.head, l.held, l.records, l.notices, l.revocations, l.forkedAt, l.id); err != nil {
			return err
		}
	}
	return nil
}
