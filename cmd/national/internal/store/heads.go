package store

import (
	"context"
	"database/sql"
	"math"

	"relais/node/record"
)

// Head is where one log stands, and what it holds.
type Head struct {
	record.LogID
	Seq         uint32      // end of the unbroken log
	Hash        record.Hash // record.LogHash up to there
	Held        int         // beyond it
	Records     int
	Notices     int
	Revocations int
	Forked      bool
	ForkedAt    uint32 // first place known to have two histories; 0: none
}

// Heads returns every log, by hub then incarnation.
func (db *DB) Heads(ctx context.Context) ([]Head, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT hub, incarnation, seq, head, held, records, notices, revocations, coalesce(forked_at, 0)
		FROM logs ORDER BY hub, incarnation`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var heads []Head
	for rows.Next() {
		var h Head
		var hub, hash []byte
		if err := rows.Scan(&hub, &h.Incarnation, &h.Seq, &hash, &h.Held, &h.Records, &h.Notices, &h.Revocations, &h.ForkedAt); err != nil {
			return nil, err
		}
		h.Forked = h.ForkedAt > 0
		copy(h.Hub[:], hub)
		copy(h.Hash[:], hash)
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

// Bound is the end of what counts of a log: everything below Seq, and at Seq the
// record with this hash.
type Bound struct {
	Seq  int64
	Hash []byte
}

// Unbounded lets a whole log count.
var Unbounded = Bound{Seq: math.MaxInt64}

// HeadWithin reads one log again as if nothing beyond a bound had come. Its cost
// grows with the log: it is for the few logs that a roster has cut.
func (db *DB) HeadWithin(ctx context.Context, h Head, b Bound) (Head, error) {
	err := db.read.QueryRowContext(ctx, `
		SELECT count(*), coalesce(sum(r.kind = ?), 0), coalesce(sum(r.kind = ?), 0),
		       coalesce(max(r.seq) FILTER (WHERE r.seq <= ?), 0), coalesce(sum(r.seq > ?), 0)
		FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND (r.seq < ? OR r.seq = ? AND r.hash = ?)`,
		record.KindNotice, record.KindRevocation, h.Seq, h.Seq, h.Hub[:], h.Incarnation, b.Seq, b.Seq, b.Hash,
	).Scan(&h.Records, &h.Notices, &h.Revocations, &h.Seq, &h.Held)
	if err != nil {
		return Head{}, err
	}
	h.Hash, err = db.HashUpTo(ctx, h, h.Seq, b)
	return h, err
}

// HashUpTo is record.LogHash of what is here of a log up to a place, within the
// bound.
func (db *DB) HashUpTo(ctx context.Context, h Head, seq uint32, b Bound) (record.Hash, error) {
	from := seq
	if h.ForkedAt != 0 {
		from = min(from, h.ForkedAt)
	}
	rows, err := db.read.QueryContext(ctx, selectVariants+` AND (r.seq < ? OR r.seq = ? AND r.hash = ?) ORDER BY r.seq, r.hash`,
		h.Hub[:], h.Incarnation, from, seq, b.Seq, b.Seq, b.Hash)
	return logHash(rows, err)
}

const selectVariants = `SELECT r.seq, r.hash, r.prev FROM records r JOIN logs l ON l.id = r.log
	WHERE l.hub = ? AND l.incarnation = ? AND r.seq BETWEEN ? AND ?`

func logHash(rows *sql.Rows, err error) (record.Hash, error) {
	if err != nil {
		return record.Hash{}, err
	}
	defer rows.Close()
	var variants []record.Variant
	for rows.Next() {
		var v record.Variant
		var hash, prev sql.RawBytes
		if err := rows.Scan(&v.Seq, &hash, &prev); err != nil {
			return record.Hash{}, err
		}
		v.Hash, v.Prev = record.Hash(hash), [16]byte(prev)
		variants = append(variants, v)
	}
	return record.LogHash(variants), rows.Err()
}

// Range returns the records of one log from a sequence number to another, both
// included and within the bound, in order, at most maxOctets in all, and the
// first place that was left out; above to when none was. All variants of a place
// stay together, unless they fill a page by themselves.
func (db *DB) Range(ctx context.Context, log record.LogID, from, to uint32, b Bound, maxOctets int) (wires [][]byte, next uint32, err error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.seq, r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq BETWEEN ? AND ? AND (r.seq < ? OR r.seq = ? AND r.hash = ?)
		ORDER BY r.seq, r.hash`, log.Hub[:], log.Incarnation, from, to, b.Seq, b.Seq, b.Hash)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	begun := 0 // where the variants of the present place begin
	for at := uint32(0); rows.Next(); {
		var wire sql.RawBytes
		if err := rows.Scan(&next, &wire); err != nil {
			return nil, 0, err
		}
		if next != at {
			at, begun = next, len(wires)
		}
		if maxOctets -= len(wire); maxOctets >= 0 {
			wires = append(wires, append([]byte(nil), wire...))
			continue
		}
		if begun == 0 {
			begun = len(wires)
		}
		return wires[:begun], next, nil
	}
	return wires, to + 1, rows.Err()
}

// HeldRevocations returns the revocations of one log that wait for a predecessor,
// within the bound, at most limit.
func (db *DB) HeldRevocations(ctx context.Context, h Head, above uint32, b Bound, limit int) (wires [][]byte, err error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq > ? AND r.kind = ? AND (r.seq < ? OR r.seq = ? AND r.hash = ?)
		ORDER BY r.seq, r.hash LIMIT ?`, h.Hub[:], h.Incarnation, above, record.KindRevocation, b.Seq, b.Seq, b.Hash, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var wire []byte
		if err := rows.Scan(&wire); err != nil {
			return nil, err
		}
		wires = append(wires, wire)
	}
	return wires, rows.Err()
}
