package store

import (
	"database/sql"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// NoticeRow is a notice that counts, with what all records say of its mandate.
type NoticeRow struct {
	Record int64
	record.Notice
	record.Place
	Stopped     uint32 // bit n-1 for line n
	AllStopped  bool
	Conflict    bool // another notice claims the same mandate
	Quarantined bool // granted on a forked log, at the fork or after
}

const noticeColumns = `record, mandate, structure, hub, incarnation, seq, lines, start, finish, regime,
	stop, dossier, subject, stopped, all_stopped, conflict, quarantined`

func scanNotice(scan func(...any) error) (NoticeRow, error) {
	var n NoticeRow
	var mandate, structure, hub, stop, dossier, subject []byte
	var start, finish int64
	err := scan(&n.Record, &mandate, &structure, &hub, &n.Incarnation, &n.Seq, &n.Lines, &start, &finish, &n.Regime,
		&stop, &dossier, &subject, &n.Stopped, &n.AllStopped, &n.Conflict, &n.Quarantined)
	if err != nil {
		return NoticeRow{}, err
	}
	n.Mandate, n.Structure, n.Hub = record.MandateID(mandate), territory.StructureID(structure), territory.HubID(hub)
	n.Start, n.End = Time(start), Time(finish)
	n.Stop, n.Dossier = record.Commitment(stop), [16]byte(dossier)
	if subject != nil {
		n.Subject = (*[16]byte)(subject)
	}
	return n, nil
}

func (r *Reader) notices(query string, args ...any) (out []NoticeRow, err error) {
	rows, err := r.Query(`SELECT `+noticeColumns+` FROM notices `+query, args...)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		n, err := scanNotice(rows.Scan)
		out = append(out, n)
		return err
	})
}

// Notices returns what claims a mandate: nothing, one notice, or several that
// contradict each other.
func (r *Reader) Notices(id record.MandateID) ([]NoticeRow, error) {
	return r.notices(`WHERE mandate = ? ORDER BY record`, id[:])
}

// NoticesByStop returns the notices that a stop code opens.
func (r *Reader) NoticesByStop(c record.Commitment) ([]NoticeRow, error) {
	return r.notices(`WHERE stop = ? ORDER BY record`, c[:])
}

// NoticesUpTo returns a structure's notices at or below a place of one log.
func (r *Reader) NoticesUpTo(structure territory.StructureID, p record.Place) ([]NoticeRow, error) {
	return r.notices(`WHERE hub = ? AND incarnation = ? AND seq <= ? AND structure = ?`,
		p.Hub[:], p.Incarnation, p.Seq, structure[:])
}

// AddNotice keeps a notice that counts. Its standing is for SetStanding. undated is
// that its author's clock is known to be wrong.
func (tx *Tx) AddNotice(id int64, p record.Place, n *record.Notice, quarantined, undated bool) error {
	var subject any
	if n.Subject != nil {
		subject = n.Subject[:]
	}
	_, err := tx.Exec(`INSERT INTO notices (record, mandate, structure, hub, incarnation, seq, lines, start, finish, regime,
		stop, dossier, subject, quarantined, undated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, n.Mandate[:], n.Structure[:], p.Hub[:], p.Incarnation, p.Seq, n.Lines, Millis(n.Start), Millis(n.End), n.Regime,
		n.Stop[:], n.Dossier[:], subject, quarantined, undated)
	return err
}

// SetStanding writes what all records say of one notice's mandate.
func (tx *Tx) SetStanding(id int64, s record.Standing) error {
	_, err := tx.Exec(`UPDATE notices SET stopped = ?, all_stopped = ?, conflict = ? WHERE record = ?`,
		s.Lines, s.All, s.Conflict(), id)
	return err
}

// Quarantine marks the notices of a forked log from the fork on, and no others;
// 0 is no fork.
func (tx *Tx) Quarantine(log record.LogID, fork uint32) error {
	_, err := tx.Exec(`UPDATE notices SET quarantined = (?1 > 0 AND seq >= ?1)
		WHERE hub = ?2 AND incarnation = ?3 AND quarantined <> (?1 > 0 AND seq >= ?1)`,
		fork, log.Hub[:], log.Incarnation)
	return err
}

// Forget removes what a record said, because the roster no longer admits it.
// The record itself stays.
func (tx *Tx) Forget(id int64) error {
	for _, query := range []string{
		`DELETE FROM notices WHERE record = ?`,
		`DELETE FROM revocations WHERE record = ?`,
		`DELETE FROM closes WHERE record = ?`,
		`DELETE FROM suspensions WHERE record = ?`,
	} {
		if _, err := tx.Exec(query, id); err != nil {
			return err
		}
	}
	return nil
}

// WantedDossier is a notice whose dossier is not here.
type WantedDossier struct {
	Mandate   record.MandateID
	Structure territory.StructureID
	Origin    territory.HubID
}

// WantedDossiers returns the mandates of a structure that still run at a moment
// and whose dossier is not here nor forgotten, at most limit, the newest first: the
// person of the oldest has waited already.
func (r *Reader) WantedDossiers(structure territory.StructureID, now time.Time, limit int) (out []WantedDossier, err error) {
	rows, err := r.Query(`SELECT mandate, hub FROM notices
		WHERE structure = ? AND finish > ? AND conflict = 0 AND quarantined = 0
		AND NOT EXISTS (SELECT 1 FROM dossiers WHERE dossiers.mandate = notices.mandate)
		AND NOT EXISTS (SELECT 1 FROM mandates WHERE mandates.id = notices.mandate)
		AND NOT EXISTS (SELECT 1 FROM forgotten WHERE forgotten.mandate = notices.mandate)
		ORDER BY record DESC LIMIT ?`, structure[:], Millis(now), limit)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var id, hub []byte
		err := rows.Scan(&id, &hub)
		if err == nil {
			out = append(out, WantedDossier{record.MandateID(id), structure, territory.HubID(hub)})
		}
		return err
	})
}

// HasDossier tells whether a mandate's dossier is here, sealed to this hub or made
// at its desk.
func (r *Reader) HasDossier(id record.MandateID) (has bool, err error) {
	err = r.QueryRow(`SELECT EXISTS (SELECT 1 FROM dossiers WHERE mandate = ?1)
		OR EXISTS (SELECT 1 FROM mandates WHERE id = ?1)`, id[:]).Scan(&has)
	return has, err
}

// Dossier returns a dossier as another hub sealed it, and whether it is here.
func (r *Reader) Dossier(id record.MandateID) (sealed []byte, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT sealed FROM dossiers WHERE mandate = ?`, id[:]).Scan(&sealed))
	return sealed, found, err
}

// PutDossier keeps a sealed dossier. The first one stays: they are immutable.
func (tx *Tx) PutDossier(id record.MandateID, sealed []byte) error {
	_, err := tx.Exec(`INSERT INTO dossiers (mandate, sealed, received) VALUES (?, ?, ?) ON CONFLICT (mandate) DO NOTHING`,
		id[:], sealed, Millis(tx.Now))
	return err
}

// TerritoryTotals counts what the page État du territoire shows.
type TerritoryTotals struct{ Notices, Stops, Dossiers int }

// TerritoryTotals counts mandates known, revocations and dossiers.
func (r *Reader) TerritoryTotals() (t TerritoryTotals, err error) {
	err = r.QueryRow(`SELECT (SELECT count(DISTINCT mandate) FROM notices),
		(SELECT count(*) FROM revocations),
		(SELECT count(*) FROM (SELECT mandate FROM dossiers UNION SELECT id FROM mandates))`).Scan(&t.Notices, &t.Stops, &t.Dossiers)
	return t, err
}
