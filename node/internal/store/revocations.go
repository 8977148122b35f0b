package store

import (
	"database/sql"
	"slices"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// RevocationRow is a revocation whose form and author are right.
type RevocationRow struct {
	Record int64
	record.Revocation
	record.Place
	Received time.Time
	Signed   bool
	Bar      record.Bar // code: it names a mandate that its code does not open
}

// Revocations returns, in order of receipt, the revocations that name a mandate
// or whose code opens one of the notices that claim it.
func (r *Reader) Revocations(id record.MandateID) (out []RevocationRow, err error) {
	rows, err := r.Query(`SELECT v.record, v.mandate, v.lines, v.reason, v.channel, v.claimed, v.code,
			r.hub, r.incarnation, r.seq, v.received, r.signature IS NOT NULL, r.bar
		FROM revocations v JOIN records r ON r.id = v.record
		WHERE v.record IN (SELECT record FROM revocations WHERE mandate = ?1
			UNION SELECT w.record FROM notices n JOIN revocations w ON w.commitment = n.stop WHERE n.mandate = ?1)
		ORDER BY v.received, v.record`, id[:])
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var v RevocationRow
		var mandate, hub, code []byte
		var claimed, received int64
		err := rows.Scan(&v.Record, &mandate, &v.Lines, &v.Reason, &v.Channel, &claimed, &code,
			&hub, &v.Incarnation, &v.Seq, &received, &v.Signed, &v.Bar)
		if err != nil {
			return err
		}
		v.Mandate, v.Hub = record.MandateID(mandate), territory.HubID(hub)
		v.Claimed, v.Received = Time(claimed), Time(received)
		if code != nil {
			v.Code = (*record.StopCode)(code)
		}
		out = append(out, v)
		return nil
	})
}

// AddRevocation keeps a revocation.
func (tx *Tx) AddRevocation(id int64, p record.Place, v *record.Revocation, code territory.Code) error {
	var stopCode, commitment any
	if v.Code != nil {
		c := v.Code.Commitment(code)
		stopCode, commitment = v.Code[:], c[:]
	}
	_, err := tx.Exec(`INSERT INTO revocations (record, mandate, lines, reason, channel, claimed, code, commitment, hub, received)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, v.Mandate[:], v.Lines, v.Reason, v.Channel, Millis(v.Claimed), stopCode, commitment, p.Hub[:], Millis(tx.Now))
	return err
}

// MarkElsewhere notes that a revocation was made at this desk for a mandate of
// another structure than the helper's.
func (tx *Tx) MarkElsewhere(p record.Place) error {
	_, err := tx.Exec(`UPDATE revocations SET elsewhere = 1 WHERE record IN
		(SELECT id FROM records WHERE hub = ? AND incarnation = ? AND seq = ?)`, p.Hub[:], p.Incarnation, p.Seq)
	return err
}

// StopsElsewhere returns when this desk stopped mandates of other structures,
// since a moment, the oldest first, at most limit of the latest.
func (r *Reader) StopsElsewhere(since time.Time, limit int) (out []time.Time, err error) {
	rows, err := r.Query(`SELECT received FROM revocations WHERE elsewhere = 1 AND received > ?
		ORDER BY received DESC LIMIT ?`, Millis(since), limit)
	err = Each(rows, err, func(rows *sql.Rows) error {
		var at int64
		err := rows.Scan(&at)
		out = append(out, Time(at))
		return err
	})
	slices.Reverse(out)
	return out, err
}

// DeskCount is how many mandates of one structure a hub stopped without a code.
type DeskCount struct {
	Hub       territory.HubID
	Structure territory.StructureID
	Count     int
	Since     time.Time // the first received
}

// DeskCounts counts what each hub stopped without a code, by structure, since a
// moment. The channel is what the author says, and so it does not matter.
func (r *Reader) DeskCounts(since time.Time) (out []DeskCount, err error) {
	rows, err := r.Query(`SELECT v.hub, n.structure, count(DISTINCT v.mandate), min(v.received)
		FROM revocations v JOIN notices n ON n.mandate = v.mandate
		WHERE v.received > ? AND v.code IS NULL GROUP BY v.hub, n.structure`, Millis(since))
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var hub, structure []byte
		var c DeskCount
		var first int64
		if err := rows.Scan(&hub, &structure, &c.Count, &first); err != nil {
			return err
		}
		c.Hub, c.Structure, c.Since = territory.HubID(hub), territory.StructureID(structure), Time(first)
		out = append(out, c)
		return nil
	})
}

// CloseRow is one cut by which a structure's mandates end.
type CloseRow struct {
	Record    int64
	Structure territory.StructureID
	At        record.Place // notices at or below
	Index     uint16
}

// SpokenCloses returns the closes that were heard.
func (r *Reader) SpokenCloses() ([]RecordRow, error) {
	return r.records(`WHERE kind = 3 AND bar = '' AND (source IS NULL OR seq <= (SELECT head FROM logs
		WHERE logs.hub = records.hub AND logs.incarnation = records.incarnation)) ORDER BY id`)
}

// AddClose keeps a cut; one that is kept stays as it is.
func (tx *Tx) AddClose(c CloseRow) error {
	_, err := tx.Exec(`INSERT INTO closes (record, structure, roster_index, hub, incarnation, seq, received)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Record, c.Structure[:], c.Index, c.At.Hub[:], c.At.Incarnation, c.At.Seq, Millis(tx.Now))
	return err
}

// ClosedAt returns when this hub learned that a structure's mandates at a place
// ended, and the hub that said so; zero when they did not.
func (r *Reader) ClosedAt(structure territory.StructureID, p record.Place) (at time.Time, by territory.HubID, err error) {
	var ms int64
	var hub []byte
	found, err := Found(r.QueryRow(`SELECT c.received, r.hub FROM closes c JOIN records r ON r.id = c.record
		WHERE c.structure = ? AND c.hub = ? AND c.incarnation = ? AND c.seq >= ? ORDER BY c.received LIMIT 1`,
		structure[:], p.Hub[:], p.Incarnation, p.Seq).Scan(&ms, &hub))
	if err != nil || !found {
		return time.Time{}, by, err
	}
	return Time(ms), territory.HubID(hub), nil
}

// AddSuspension keeps a suspension, or the reinstatement that lifts the one at a
// place.
func (tx *Tx) AddSuspension(id int64, p record.Place, helper territory.HelperID, lifts *record.Place) error {
	var hub, incarnation, seq any
	if lifts != nil {
		hub, incarnation, seq = lifts.Hub[:], lifts.Incarnation, lifts.Seq
	}
	_, err := tx.Exec(`INSERT INTO suspensions (record, helper, hub, incarnation, seq, lifts_hub, lifts_incarnation, lifts_seq)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, id, helper[:], p.Hub[:], p.Incarnation, p.Seq, hub, incarnation, seq)
	return err
}

// SuspensionStands tells whether the territory suspends a helper: a suspension
// that no reinstatement lifts. One of another author (only the national service
// may) must not be dated before the suspension: it would lift in advance.
func (r *Reader) SuspensionStands(helper territory.HelperID) (suspended bool, err error) {
	err = r.QueryRow(`SELECT EXISTS (SELECT 1 FROM suspensions s JOIN records sr ON sr.id = s.record
		WHERE s.helper = ? AND s.lifts_hub IS NULL
		AND NOT EXISTS (SELECT 1 FROM suspensions l JOIN records lr ON lr.id = l.record
			WHERE l.lifts_hub = s.hub AND l.lifts_incarnation = s.incarnation AND l.lifts_seq = s.seq
			AND l.helper = s.helper AND (l.hub = s.hub OR lr.time >= sr.time)))`,
		helper[:]).Scan(&suspended)
	return suspended, err
}
