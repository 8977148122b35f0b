package store

import (
	"database/sql"
	"fmt"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// RecordRow is a record as it is kept.
type RecordRow struct {
	ID int64
	record.Place
	Hash      record.Hash
	Prev      [16]byte
	Kind      record.Kind
	Time      time.Time
	Payload   []byte
	Signature []byte // 64 octets; nil: made here, not yet signed
	Received  time.Time
	Source    territory.HubID // who handed it over; zero: made here
	Bar       record.Bar
}

// Wire returns the wire form of a signed row.
func (r RecordRow) Wire() []byte { return record.Assemble(r.Hub, r.Payload, [64]byte(r.Signature)) }

// Decode reads the payload again.
func (r RecordRow) Decode() (*record.Envelope, error) {
	signature := r.Signature
	if signature == nil {
		signature = make([]byte, 64)
	}
	e, err := record.Parse(record.Assemble(r.Hub, r.Payload, [64]byte(signature)))
	if err != nil {
		return nil, fmt.Errorf("record %d: %w", r.ID, err)
	}
	return e, nil
}

const recordColumns = `id, hub, incarnation, seq, hash, prev, kind, time, payload, signature, received, source, bar`

func scanRecord(scan func(...any) error) (RecordRow, error) {
	var r RecordRow
	var hub, hash, prev, source []byte
	var at, received int64
	err := scan(&r.ID, &hub, &r.Incarnation, &r.Seq, &hash, &prev, &r.Kind, &at, &r.Payload, &r.Signature, &received, &source, &r.Bar)
	if err != nil {
		return RecordRow{}, err
	}
	r.Hub, r.Hash, r.Prev = territory.HubID(hub), record.Hash(hash), [16]byte(prev)
	r.Time, r.Received = time.UnixMilli(at).UTC(), Time(received)
	copy(r.Source[:], source)
	return r, nil
}

func (r *Reader) records(query string, args ...any) (out []RecordRow, err error) {
	rows, err := r.Query(`SELECT `+recordColumns+` FROM records `+query, args...)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		row, err := scanRecord(rows.Scan)
		out = append(out, row)
		return err
	})
}

// RecordsAt returns the records at one place: one, or more when the log had
// several histories, by hash. Those above a cut are left out, as everywhere below.
func (r *Reader) RecordsAt(p record.Place) ([]RecordRow, error) {
	return r.records(`WHERE hub = ? AND incarnation = ? AND seq = ? AND bar <> 'cut' ORDER BY hash`,
		p.Hub[:], p.Incarnation, p.Seq)
}

// TimesAt returns the times of the records at one place.
func (r *Reader) TimesAt(p record.Place) (times []time.Time, err error) {
	rows, err := r.Query(`SELECT time FROM records WHERE hub = ? AND incarnation = ? AND seq = ? AND bar <> 'cut'`,
		p.Hub[:], p.Incarnation, p.Seq)
	return times, Each(rows, err, func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&at)
		times = append(times, time.UnixMilli(at).UTC())
		return err
	})
}

// RecordsFrom returns signed records of one log from seq to last, in order, at
// most limit.
func (r *Reader) RecordsFrom(log record.LogID, seq, last uint32, limit int) ([]RecordRow, error) {
	return r.records(`WHERE hub = ? AND incarnation = ? AND seq BETWEEN ? AND ?
		AND signature IS NOT NULL AND bar <> 'cut' ORDER BY seq, hash LIMIT ?`,
		log.Hub[:], log.Incarnation, seq, last, limit)
}

// SomeAt returns signed records at one place, by hash, from the one that pick
// chooses among their number, at most limit.
func (r *Reader) SomeAt(p record.Place, pick func(n int) int, limit int) ([]RecordRow, error) {
	var n int
	const at = `WHERE hub = ? AND incarnation = ? AND seq = ? AND signature IS NOT NULL AND bar <> 'cut'`
	if err := r.QueryRow(`SELECT count(*) FROM records `+at, p.Hub[:], p.Incarnation, p.Seq).Scan(&n); err != nil {
		return nil, err
	}
	return r.records(at+` ORDER BY hash LIMIT ? OFFSET ?`, p.Hub[:], p.Incarnation, p.Seq, limit, pick(n))
}

// RecordsAbove returns the records of one log above a seq, barred ones included.
func (r *Reader) RecordsAbove(log record.LogID, seq uint32) ([]RecordRow, error) {
	return r.records(`WHERE hub = ? AND incarnation = ? AND seq > ? ORDER BY seq, hash`, log.Hub[:], log.Incarnation, seq)
}

// BarredRecords returns the records that do not count for one reason.
func (r *Reader) BarredRecords(bar record.Bar) ([]RecordRow, error) {
	return r.records(`WHERE bar = ? AND bar <> '' ORDER BY hub, incarnation, seq, hash`, string(bar))
}

// Neighbour is what the links of a record are compared with.
type Neighbour struct {
	Seq  uint32
	Hash record.Hash
	Prev [16]byte
}

// Neighbours returns what is kept at a place, just before and just after it.
func (r *Reader) Neighbours(p record.Place) (out []Neighbour, err error) {
	rows, err := r.Query(`SELECT seq, hash, prev FROM records
		WHERE hub = ? AND incarnation = ? AND seq BETWEEN ? AND ? AND bar <> 'cut'`,
		p.Hub[:], p.Incarnation, int64(p.Seq)-1, int64(p.Seq)+1)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var n Neighbour
		var hash, prev []byte
		if err := rows.Scan(&n.Seq, &hash, &prev); err != nil {
			return err
		}
		n.Hash, n.Prev = record.Hash(hash), [16]byte(prev)
		out = append(out, n)
		return nil
	})
}

// Variants returns the signed records of one log from a place to another, by seq,
// then by hash.
func (r *Reader) Variants(log record.LogID, from, to uint32) (out []record.Variant, err error) {
	rows, err := r.Query(`SELECT seq, hash, prev FROM records WHERE hub = ? AND incarnation = ? AND seq BETWEEN ? AND ?
		AND signature IS NOT NULL AND bar <> 'cut' ORDER BY seq, hash`, log.Hub[:], log.Incarnation, from, to)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var v record.Variant
		var hash, prev []byte
		if err := rows.Scan(&v.Seq, &hash, &prev); err != nil {
			return err
		}
		v.Hash, v.Prev = record.Hash(hash), [16]byte(prev)
		out = append(out, v)
		return nil
	})
}

// HeldRevocations returns the signed revocations that wait for a predecessor in
// their log, at most limit.
func (r *Reader) HeldRevocations(limit int) ([]RecordRow, error) {
	return r.records(`WHERE id IN (SELECT records.id FROM logs CROSS JOIN records ON records.hub = logs.hub
		AND records.incarnation = logs.incarnation AND records.seq > logs.head
		WHERE records.kind = 2 AND records.signature IS NOT NULL AND records.bar <> 'cut')
		ORDER BY hub, incarnation, seq, hash LIMIT ?`, limit)
}

// HasRecord tells whether this very record is kept.
func (r *Reader) HasRecord(p record.Place, h record.Hash) (bool, error) {
	var one int
	return Found(r.QueryRow(`SELECT 1 FROM records WHERE hub = ? AND incarnation = ? AND seq = ? AND hash = ?`,
		p.Hub[:], p.Incarnation, p.Seq, h[:]).Scan(&one))
}

// LastRecord returns the number of the record kept last; 0 for none.
func (r *Reader) LastRecord() (id int64, err error) {
	err = r.QueryRow(`SELECT coalesce(max(id), 0) FROM records`).Scan(&id)
	return id, err
}

// HasSigned tells whether any record of a hub is signed.
func (r *Reader) HasSigned(hub territory.HubID) (bool, error) {
	var one int
	return Found(r.QueryRow(`SELECT 1 FROM records WHERE hub = ? AND signature IS NOT NULL LIMIT 1`, hub[:]).Scan(&one))
}

// Tail returns the last record of a log, signed or not. Its place is looked up
// apart: with two orders, SQLite would sort.
func (r *Reader) Tail(log record.LogID) (RecordRow, bool, error) {
	row, err := scanRecord(r.QueryRow(`SELECT `+recordColumns+` FROM records WHERE hub = ?1 AND incarnation = ?2
		AND seq = (SELECT max(seq) FROM records WHERE hub = ?1 AND incarnation = ?2)
		ORDER BY hash LIMIT 1`, log.Hub[:], log.Incarnation).Scan)
	found, err := Found(err)
	return row, found, err
}

// UnsignedRecords returns the first records of a hub that wait for their
// signature, in log order, at most limit.
func (r *Reader) UnsignedRecords(hub territory.HubID, limit int) ([]RecordRow, error) {
	return r.records(`WHERE signature IS NULL AND hub = ? ORDER BY id LIMIT ?`, hub[:], limit)
}

// OrphanRecords returns the first unsigned records that are not this hub's: an
// identity that was lost wrote them here, and no key will ever sign them.
func (r *Reader) OrphanRecords(hub territory.HubID, limit int) ([]RecordRow, error) {
	return r.records(`WHERE signature IS NULL AND hub <> ? ORDER BY id LIMIT ?`, hub[:], limit)
}

// CountHeld returns how many records of a log wait for a predecessor, counted up
// to limit.
func (r *Reader) CountHeld(log record.LogID, head uint32, limit int) (n int, err error) {
	err = r.QueryRow(`SELECT count(*) FROM (SELECT 1 FROM records
		WHERE hub = ? AND incarnation = ? AND seq > ? AND signature IS NOT NULL LIMIT ?)`,
		log.Hub[:], log.Incarnation, head, limit).Scan(&n)
	return n, err
}

// RecordTotals counts the signed records that the roster admits, held ones
// included, and those waiting for a signature.
type RecordTotals struct {
	Records, Notices, Revocations, Unsigned int
}

// RecordTotals counts the records.
func (r *Reader) RecordTotals() (t RecordTotals, err error) {
	err = r.QueryRow(`SELECT
		count(*) FILTER (WHERE signature IS NOT NULL),
		count(*) FILTER (WHERE signature IS NOT NULL AND kind = 1),
		count(*) FILTER (WHERE signature IS NOT NULL AND kind = 2),
		count(*) FILTER (WHERE signature IS NULL)
		FROM records WHERE bar <> 'cut'`).Scan(&t.Records, &t.Notices, &t.Revocations, &t.Unsigned)
	return t, err
}

// BarredTotals counts what does not count, by reason, with the last receipt.
func (r *Reader) BarredTotals() (totals map[record.Bar]Barred, err error) {
	totals = make(map[record.Bar]Barred)
	rows, err := r.Query(`SELECT bar, count(*), max(received) FROM records WHERE bar <> '' GROUP BY bar`)
	return totals, Each(rows, err, func(rows *sql.Rows) error {
		var bar record.Bar
		var b Barred
		var last int64
		err := rows.Scan(&bar, &b.Count, &last)
		b.Last = Time(last)
		totals[bar] = b
		return err
	})
}

// Barred is how many records do not count for one reason, and the last receipt.
type Barred struct {
	Count int
	Last  time.Time
}

// AddRecord keeps a record and returns its number.
func (tx *Tx) AddRecord(r RecordRow) (id int64, err error) {
	var source, signature any
	if !r.Source.IsZero() {
		source = r.Source[:]
	}
	if r.Signature != nil {
		signature = r.Signature
	}
	result, err := tx.Exec(`INSERT INTO records (hub, incarnation, seq, hash, prev, kind, time, payload, signature, received, source, bar)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.Hub[:], r.Incarnation, r.Seq, r.Hash[:], r.Prev[:], r.Kind, r.Time.UnixMilli(), r.Payload, signature,
		Millis(r.Received), source, string(r.Bar))
	if err != nil {
		return 0, fmt.Errorf("keep record: %w", err)
	}
	return result.LastInsertId()
}

// SignRecord adds the signature of a record made here.
func (tx *Tx) SignRecord(id int64, signature [64]byte) error {
	_, err := tx.Exec(`UPDATE records SET signature = ? WHERE id = ? AND signature IS NULL`, signature[:], id)
	return err
}

// DropUnsigned removes a record that nobody signed, and so nobody else knows.
func (tx *Tx) DropUnsigned(id int64) error {
	_, err := tx.Exec(`DELETE FROM records WHERE id = ? AND signature IS NULL`, id)
	return err
}

// BarRecord writes why a record does not count.
func (tx *Tx) BarRecord(id int64, bar record.Bar) error {
	_, err := tx.Exec(`UPDATE records SET bar = ? WHERE id = ? AND bar <> ?`, string(bar), id, string(bar))
	return err
}
