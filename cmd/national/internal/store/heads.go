package store

import (
	"context"
	"database/sql"
	"errors"

	"relais/node/record"
)

// Head is where one log stands.
type Head struct {
	record.LogID
	Seq         uint32
	Hash        record.Hash
	Held        int
	Notices     int
	Revocations int
	ForkedAt    uint32 // 0: no fork known
}

// Heads returns every log, by hub then incarnation.
func (db *DB) Heads(ctx context.Context) ([]Head, error) {
	var heads []Head
	rows, err := db.read.QueryContext(ctx, `
		SELECT hub, incarnation, seq, head, held, notices, revocations, coalesce(forked_at, 0)
		FROM logs ORDER BY hub, incarnation`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var h Head
		var hub, hash []byte
		if err := rows.Scan(&hub, &h.Incarnation, &h.Seq, &hash, &h.Held, &h.Notices, &h.Revocations, &h.ForkedAt); err != nil {
			return nil, err
		}
		copy(h.Hub[:], hub)
		copy(h.Hash[:], hash)
		heads = append(heads, h)
	}
	return heads, rows.Err()
}

// HeadUpTo counts one log again as if nothing above a place had come. Its cost
// grows with the log: it is for the few logs that a roster has cut.
func (db *DB) HeadUpTo(ctx context.Context, log record.LogID, limit uint32) (Head, error) {
	h := Head{LogID: log}
	err := db.read.QueryRowContext(ctx, `
		SELECT count(*), coalesce(sum(r.kind = ?), 0), coalesce(sum(r.kind = ?), 0)
		FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq <= ?`,
		record.KindNotice, record.KindRevocation, log.Hub[:], log.Incarnation, limit,
	).Scan(&h.Seq, &h.Notices, &h.Revocations)
	return h, err
}

// HashAt returns the chain hash of one stored record, and whether it is here.
func (db *DB) HashAt(ctx context.Context, p record.Place) (record.Hash, bool, error) {
	var h record.Hash
	var b []byte
	err := db.read.QueryRowContext(ctx, `
		SELECT r.hash FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq = ?`, p.Hub[:], p.Incarnation, p.Seq).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	copy(h[:], b)
	return h, err == nil, err
}

// Range returns the records of one log from a sequence number to another, both
// included, in order, at most maxOctets in all, and whether some were left out.
func (db *DB) Range(ctx context.Context, log record.LogID, from, to uint32, maxOctets int) (wires [][]byte, more bool, err error) {
	rows, err := db.read.QueryContext(ctx, `
		SELECT r.wire FROM records r JOIN logs l ON l.id = r.log
		WHERE l.hub = ? AND l.incarnation = ? AND r.seq BETWEEN ? AND ? ORDER BY r.seq`,
		log.Hub[:], log.Incarnation, from, to)
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
