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
	Seq         uint32 // end of the unbroken log
	Hash        record.Hash
	Held        int // beyond it
	Records     int
	Notices     int
	Revocations int
	Forked      bool
}

// Heads returns every log, by hub then incarnation.
func (db *DB) Heads(ctx context.Context) ([]Head, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT hub, incarnation, seq, head, held, records, notices, revocations, forked_at IS NOT NULL
		FROM logs ORDER BY hub, incarnation`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var heads []Head
	for rows.Next() {
		var h Head
		var hub, hash []byte
		if err := rows.Scan(&hub, &h.Incarnation, &h.Seq, &hash, &h.Held, &h.Records, &h.Notices, &h.Revocations, &h.Forked); err != nil {
			return nil, err
		}
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
	hashes, err := db.HashesAt(ctx, record.Place{LogID: h.LogID, Seq: h.Seq})
	h.Hash = record.Hash{}
	if int64(h.Seq) == b.Seq {
		copy(h.Hash[:], b.Hash)
	} else if len(hashes) > 0 {
		h.Hash = hashes[0]
	}
	return h, err
}

// HashesAt returns the chain hashes of the records at one place, the lowest
// first: none, one, or the two of a fork.
func (db *DB) HashesAt(ctx context.Context, p record.Place) ([]record.Hash, error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.hash FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq = ? ORDER BY r.hash`, p.Hub[:], p.Incarnation, p.Seq)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var hashes []record.Hash
	for rows.Next() {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		hashes = append(hashes, record.Hash(b))
	}
	return hashes, rows.Err()
}

// Range returns the records of one log from a sequence number to another, both
// included and within the bound, in order, at most maxOctets in all, and whether
// some were left out.
func (db *DB) Range(ctx context.Context, log record.LogID, from, to uint32, b Bound, maxOctets int) (wires [][]byte, more bool, err error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq BETWEEN ? AND ? AND (r.seq < ? OR r.seq = ? AND r.hash = ?)
		ORDER BY r.seq, r.hash`, log.Hub[:], log.Incarnation, from, to, b.Seq, b.Seq, b.Hash)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		var wire sql.RawBytes
		if err := rows.Scan(&wire); err != nil {
			return nil, false, err
		}
		if maxOctets -= len(wire); maxOctets < 0 {
			return wires, true, nil
		}
		wires = append(wires, append([]byte(nil), wire...))
	}
	return wires, false, rows.Err()
}
