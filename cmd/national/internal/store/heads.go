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
func (db *DB) Heads(ctx context.Context) (heads []Head, err error) {
	err = db.each(ctx, func(rows *sql.Rows) error {
		var h Head
		var hub, hash []byte
		if err := rows.Scan(&hub, &h.Incarnation, &h.Seq, &hash, &h.Held, &h.Records, &h.Notices, &h.Revocations, &h.ForkedAt); err != nil {
			return err
		}
		h.Forked = h.ForkedAt > 0
		copy(h.Hub[:], hub)
		copy(h.Hash[:], hash)
		heads = append(heads, h)
		return nil
	}, `
		SELECT hub, incarnation, seq, head, held, records, notices, revocations, coalesce(forked_at, 0)
		FROM logs ORDER BY hub, incarnation`)
	return heads, err
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
	end := h.Seq
	err := db.one(ctx, []any{&h.Records, &h.Notices, &h.Revocations, &h.Seq, &h.Held}, `
		SELECT count(*), count(*) FILTER (WHERE r.kind = $1), count(*) FILTER (WHERE r.kind = $2),
		       coalesce(max(r.seq) FILTER (WHERE r.seq <= $3), 0), count(*) FILTER (WHERE r.seq > $3)
		FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = $4 AND l.incarnation = $5 AND (r.seq < $6 OR r.seq = $6 AND r.hash = $7)`,
		record.KindNotice, record.KindRevocation, end, h.Hub[:], h.Incarnation, b.Seq, b.Hash)
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
	return db.logHash(ctx, `
		SELECT r.seq, r.hash, r.prev FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = $1 AND l.incarnation = $2 AND r.seq BETWEEN $3 AND $4 AND (r.seq < $5 OR r.seq = $5 AND r.hash = $6)
		ORDER BY r.seq, r.hash`, h.Hub[:], h.Incarnation, from, seq, b.Seq, b.Hash)
}

// logHash is record.LogHash of the variants that a query selects.
func (s session) logHash(ctx context.Context, query string, args ...any) (record.Hash, error) {
	var variants []record.Variant
	err := s.each(ctx, func(rows *sql.Rows) error {
		v, err := scanVariant(rows)
		variants = append(variants, v)
		return err
	}, query, args...)
	return record.LogHash(variants), err
}

// scanVariant reads seq, hash, prev.
func scanVariant(rows *sql.Rows) (v record.Variant, err error) {
	var hash, prev sql.RawBytes
	if err := rows.Scan(&v.Seq, &hash, &prev); err != nil {
		return v, err
	}
	v.Hash, v.Prev = record.Hash(hash), [16]byte(prev)
	return v, nil
}

// Range returns the records of one log from a sequence number to another, both
// included and within the bound, in order, at most maxOctets in all, and the
// first place that was left out; above to when none was. All variants of a place
// stay together, unless they fill a page by themselves.
func (db *DB) Range(ctx context.Context, log record.LogID, from, to uint32, b Bound, maxOctets int) (wires [][]byte, next uint32, err error) {
	var at uint32 // the present place
	var begun int // where its variants begin
	var leftOut bool
	err = db.each(ctx, func(rows *sql.Rows) error {
		var wire sql.RawBytes
		if err := rows.Scan(&next, &wire); err != nil {
			return err
		}
		if next != at {
			at, begun = next, len(wires)
		}
		if maxOctets -= len(wire); maxOctets >= 0 {
			wires = append(wires, append([]byte(nil), wire...))
			return nil
		}
		if begun == 0 {
			begun = len(wires)
		}
		wires, leftOut = wires[:begun], true
		return errEnough
	}, `
		SELECT r.seq, r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = $1 AND l.incarnation = $2 AND r.seq BETWEEN $3 AND $4 AND (r.seq < $5 OR r.seq = $5 AND r.hash = $6)
		ORDER BY r.seq, r.hash`, log.Hub[:], log.Incarnation, from, to, b.Seq, b.Hash)
	if err != nil {
		return nil, 0, err
	}
	if !leftOut {
		next = to + 1
	}
	return wires, next, nil
}

// HeldRevocations returns the revocations of one log that wait for a predecessor,
// within the bound, at most limit.
func (db *DB) HeldRevocations(ctx context.Context, h Head, above uint32, b Bound, limit int) (wires [][]byte, err error) {
	err = db.each(ctx, func(rows *sql.Rows) error {
		var wire []byte
		err := rows.Scan(&wire)
		wires = append(wires, wire)
		return err
	}, `
		SELECT r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = $1 AND l.incarnation = $2 AND r.seq > $3 AND r.kind = $4 AND (r.seq < $5 OR r.seq = $5 AND r.hash = $6)
		ORDER BY r.seq, r.hash LIMIT $7`, h.Hub[:], h.Incarnation, above, record.KindRevocation, b.Seq, b.Hash, limit)
	return wires, err
}
