package store

import (
	"database/sql"
	"time"

	"relais/node/id"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

type workKind struct{}

func (workKind) Prefix() string { return "w" }

// WorkID names an item of the worklist.
type WorkID = id.ID[workKind]

// WorkRow is a mandate, or lines of it, to be stopped in Aidants Connect by hand.
type WorkRow struct {
	ID        WorkID
	Mandate   record.MandateID
	Structure territory.StructureID
	Lines     uint32 // 0: all
	Stopped   time.Time
	Due       time.Time
	Ends      time.Time
	Done      time.Time // zero: it waits
	Noted     time.Time
	NotedBy   people.HelperID
}

func (r *Reader) work(query string, args ...any) (list []WorkRow, err error) {
	rows, err := r.Query(`SELECT id, mandate, structure, lines, stopped, due, ends, done, noted, noted_by
		FROM worklist `+query, args...)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var w WorkRow
		var key, mandate, structure, by []byte
		var stopped, due, ends, done, noted int64
		if err := rows.Scan(&key, &mandate, &structure, &w.Lines, &stopped, &due, &ends, &done, &noted, &by); err != nil {
			return err
		}
		w.ID, w.Mandate, w.Structure = WorkID(key), record.MandateID(mandate), territory.StructureID(structure)
		w.Stopped, w.Due, w.Ends = Time(stopped), Time(due), Time(ends)
		w.Done, w.Noted = Time(done), Time(noted)
		copy(w.NotedBy[:], by)
		list = append(list, w)
		return nil
	})
}

// Work returns an item and whether there is one.
func (r *Reader) Work(key WorkID) (w WorkRow, found bool, err error) {
	list, err := r.work(`WHERE id = ?`, key[:])
	if err != nil || len(list) == 0 {
		return WorkRow{}, false, err
	}
	return list[0], true, nil
}

// WorkOf returns the items of a mandate, done ones included.
func (r *Reader) WorkOf(m record.MandateID) ([]WorkRow, error) {
	return r.work(`WHERE mandate = ? ORDER BY stopped, id`, m[:])
}

// WaitingWork returns what a structure has to do, the oldest stop first, at most
// limit. What is over there by itself before now waits no more.
func (r *Reader) WaitingWork(s territory.StructureID, now time.Time, limit int) ([]WorkRow, error) {
	return r.work(`WHERE structure = ? AND done = 0 AND ends > ? ORDER BY stopped, id LIMIT ?`, s[:], Millis(now), limit)
}

// DoneWork returns what a structure did, the latest noted first, since a moment, at
// most limit.
func (r *Reader) DoneWork(s territory.StructureID, since time.Time, limit int) ([]WorkRow, error) {
	return r.work(`WHERE structure = ? AND done <> 0 AND noted > ? ORDER BY noted DESC, id LIMIT ?`, s[:], Millis(since), limit)
}

// WaitingMandates are those of every item that waits.
func (r *Reader) WaitingMandates() (list []record.MandateID, err error) {
	rows, err := r.Query(`SELECT DISTINCT mandate FROM worklist WHERE done = 0`)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var m []byte
		err := rows.Scan(&m)
		if err == nil {
			list = append(list, record.MandateID(m))
		}
		return err
	})
}

// PutWork adds an item that waits.
func (tx *Tx) PutWork(w WorkRow) error {
	_, err := tx.Exec(`INSERT INTO worklist (id, mandate, structure, lines, stopped, due, ends, done, noted, noted_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, NULL)`,
		w.ID[:], w.Mandate[:], w.Structure[:], w.Lines, Millis(w.Stopped), Millis(w.Due), Millis(w.Ends))
	return err
}

// DropWaiting removes the items of a mandate that wait.
func (tx *Tx) DropWaiting(m record.MandateID) error {
	_, err := tx.Exec(`DELETE FROM worklist WHERE mandate = ? AND done = 0`, m[:])
	return err
}

// NoteWork notes that an item was done on a day. It returns false when it was
// noted.
func (tx *Tx) NoteWork(key WorkID, day time.Time, by people.HelperID) (bool, error) {
	return changed(tx.Exec(`UPDATE worklist SET done = ?, noted = ?, noted_by = ? WHERE id = ? AND done = 0`,
		Millis(day), Millis(tx.Now), by[:], key[:]))
}

// DropWork removes an item.
func (tx *Tx) DropWork(key WorkID) error {
	_, err := tx.Exec(`DELETE FROM worklist WHERE id = ?`, key[:])
	return err
}

// StoppedMirrors returns a structure's mandates made in Aidants Connect that are
// stopped, or lines of them, and were to run beyond a moment.
func (r *Reader) StoppedMirrors(s territory.StructureID, after time.Time) ([]NoticeRow, error) {
	return r.notices(`WHERE structure = ? AND finish > ? AND regime = ? AND (all_stopped = 1 OR stopped <> 0) ORDER BY record`,
		s[:], Millis(after), record.AidantsConnect)
}
