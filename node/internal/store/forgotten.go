package store

import (
	"database/sql"
	"time"

	"relais/node/id"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

type forgettingKind struct{}

func (forgettingKind) Prefix() string { return "e" }

// ForgettingID names one decision to forget a person.
type ForgettingID = id.ID[forgettingKind]

// ForgottenRow is a mandate whose person was forgotten here.
type ForgottenRow struct {
	Mandate    record.MandateID
	Structure  territory.StructureID
	Forgetting ForgettingID
	Source     territory.HubID // that asked; zero: decided here
	At         time.Time
}

// ForgetRow is a hub that was to forget a mandate's person too.
type ForgetRow struct {
	Mandate   record.MandateID
	Hub       territory.HubID
	Confirmed time.Time // zero: not yet
}

func (r *Reader) forgotten(query string, args ...any) (list []ForgottenRow, err error) {
	rows, err := r.Query(`SELECT mandate, structure, forgetting, source, at FROM forgotten `+query, args...)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var f ForgottenRow
		var mandateID, structure, forgetting, source []byte
		var at int64
		if err := rows.Scan(&mandateID, &structure, &forgetting, &source, &at); err != nil {
			return err
		}
		f.Mandate, f.Structure = record.MandateID(mandateID), territory.StructureID(structure)
		f.Forgetting, f.At = ForgettingID(forgetting), Time(at)
		copy(f.Source[:], source)
		list = append(list, f)
		return nil
	})
}

// Forgotten returns how a mandate's person was forgotten here, and whether she was.
func (r *Reader) Forgotten(m record.MandateID) (f ForgottenRow, found bool, err error) {
	list, err := r.forgotten(`WHERE mandate = ?`, m[:])
	if err != nil || len(list) == 0 {
		return ForgottenRow{}, false, err
	}
	return list[0], true, nil
}

// ForgottenIn lists the mandates of one forgetting.
func (r *Reader) ForgottenIn(f ForgettingID) ([]ForgottenRow, error) {
	return r.forgotten(`WHERE forgetting = ? ORDER BY mandate`, f[:])
}

// ForgottenOf lists what was decided here for a structure, the latest first, at most
// limit mandates.
func (r *Reader) ForgottenOf(s territory.StructureID, limit int) ([]ForgottenRow, error) {
	return r.forgotten(`WHERE structure = ? AND source IS NULL ORDER BY at DESC, forgetting LIMIT ?`, s[:], limit)
}

// ForgottenLately lists the mandates that a hub made and that were forgotten by a
// decision here, since a moment, or that would still run now.
func (r *Reader) ForgottenLately(hub territory.HubID, since, now time.Time) ([]ForgottenRow, error) {
	return r.forgotten(`WHERE source IS NULL AND EXISTS (SELECT 1 FROM notices n
		WHERE n.mandate = forgotten.mandate AND n.hub = ? AND (forgotten.at > ? OR n.finish > ?))`,
		hub[:], Millis(since), Millis(now))
}

// ForgetsOf lists the hubs that were to forget a mandate's person too.
func (r *Reader) ForgetsOf(m record.MandateID) (list []ForgetRow, err error) {
	rows, err := r.Query(`SELECT hub, confirmed FROM forgets WHERE mandate = ? ORDER BY rowid`, m[:])
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var hub []byte
		var confirmed int64
		err := rows.Scan(&hub, &confirmed)
		if err == nil {
			list = append(list, ForgetRow{m, territory.HubID(hub), Time(confirmed)})
		}
		return err
	})
}

// AwaitedForgets lists what a hub was to forget and has not confirmed, the oldest
// first, at most limit.
func (r *Reader) AwaitedForgets(hub territory.HubID, limit int) (list []record.MandateID, err error) {
	rows, err := r.Query(`SELECT mandate FROM forgets WHERE hub = ? AND confirmed = 0 ORDER BY rowid LIMIT ?`, hub[:], limit)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var m []byte
		err := rows.Scan(&m)
		if err == nil {
			list = append(list, record.MandateID(m))
		}
		return err
	})
}

// PutForgotten notes that a mandate's person is forgotten. It returns false when it
// was noted.
func (tx *Tx) PutForgotten(f ForgottenRow) (bool, error) {
	var source any
	if !f.Source.IsZero() {
		source = f.Source[:]
	}
	return changed(tx.Exec(`INSERT INTO forgotten (mandate, structure, forgetting, source, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, f.Mandate[:], f.Structure[:], f.Forgetting[:], source, Millis(tx.Now)))
}

// AskForget notes that a hub is to forget a mandate's person too. Asking twice is
// asking once.
func (tx *Tx) AskForget(m record.MandateID, hub territory.HubID) error {
	_, err := tx.Exec(`INSERT INTO forgets (mandate, hub, confirmed) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`, m[:], hub[:])
	return err
}

// ConfirmForget notes that a hub forgot. It returns false when it was noted, or was
// not asked.
func (tx *Tx) ConfirmForget(m record.MandateID, hub territory.HubID) (bool, error) {
	return changed(tx.Exec(`UPDATE forgets SET confirmed = ? WHERE mandate = ? AND hub = ? AND confirmed = 0`,
		Millis(tx.Now), m[:], hub[:]))
}

// EraseMandate takes away what a mandate says of its person: the dossier in both its
// forms, the notes of its acts, its stop code. What rules need in clear stays. The
// octets leave the write-ahead log too: see scrub.
func (tx *Tx) EraseMandate(m mandate.ID) error {
	tx.db.erased = true
	for _, query := range []string{
		`UPDATE mandates SET content = x'', stop_code = NULL WHERE id = ?`,
		`UPDATE acts SET note = NULL WHERE mandate = ? AND note IS NOT NULL`,
		`DELETE FROM dossiers WHERE mandate = ?`,
	} {
		if _, err := tx.Exec(query, m[:]); err != nil {
			return err
		}
	}
	return nil
}

// MandatesKept lists a structure's mandates whose person is not forgotten, in the
// order they were kept, after one of them; last is the place to go on from.
func (r *Reader) MandatesKept(s territory.StructureID, after int64) (list []MandateRow, last int64, err error) {
	last = after
	rows, err := r.Query(`SELECT m.rowid, `+mandateColumns+` FROM mandates m
		WHERE structure = ? AND m.rowid > ?
		AND EXISTS (SELECT 1 FROM persons p WHERE p.id = m.person AND p.wrapped IS NOT NULL) ORDER BY m.rowid`,
		s[:], after)
	return list, last, Each(rows, err, func(rows *sql.Rows) error {
		m, err := scanMandate(afterRowid{rows, &last})
		list = append(list, m)
		return err
	})
}

// afterRowid scans a row whose first column is the rowid.
type afterRowid struct {
	rows *sql.Rows
	into *int64
}

func (s afterRowid) Scan(to ...any) error { return s.rows.Scan(append([]any{s.into}, to...)...) }

// OpenVisits lists a structure's visits that are not closed.
func (r *Reader) OpenVisits(s territory.StructureID) (list []AccompanimentRow, err error) {
	rows, err := r.Query(selectAccompaniment+`WHERE v.structure = ? AND v.closed = 0`, s[:])
	return list, Each(rows, err, func(rows *sql.Rows) error {
		v, err := scanAccompaniment(rows)
		list = append(list, v)
		return err
	})
}

// KeepingStructures lists the structures with a mandate whose person is not
// forgotten and that started before a moment.
func (r *Reader) KeepingStructures(before time.Time) (list []territory.StructureID, err error) {
	rows, err := r.Query(`SELECT DISTINCT structure FROM mandates m WHERE start <= ?
		AND EXISTS (SELECT 1 FROM persons p WHERE p.id = m.person AND p.wrapped IS NOT NULL)`, Millis(before))
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var s []byte
		err := rows.Scan(&s)
		if err == nil {
			list = append(list, territory.StructureID(s))
		}
		return err
	})
}
