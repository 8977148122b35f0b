package store

import (
	"database/sql"
	"time"
)

// RosterRow is a roster that this hub took.
type RosterRow struct {
	Version uint32
	Note    []byte
	Root    string // the key that signed
	Taken   time.Time
}

// RostersKept bounds the rosters that are kept beside the first of each root.
const RostersKept = 200

// PutRoster keeps a roster that was taken, and drops the oldest. The first of
// each root stays: a hub that slept through rotations follows them one by one.
func (tx *Tx) PutRoster(r RosterRow) error {
	if _, err := tx.Exec(`INSERT INTO rosters (version, note, root, taken) VALUES (?, ?, ?, ?)`,
		r.Version, r.Note, r.Root, Millis(tx.Now)); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM rosters WHERE version <= ?1 AND version NOT IN (SELECT min(version) FROM rosters GROUP BY root)`,
		int64(r.Version)-RostersKept)
	return err
}

// Rosters lists the rosters that were taken, the newest first.
func (r *Reader) Rosters(limit int) ([]RosterRow, error) {
	return r.rosters(`SELECT version, note, root, taken FROM rosters ORDER BY version DESC LIMIT ?`, limit)
}

// RosterTurns lists the first roster of each root that is above a version, the
// oldest first.
func (r *Reader) RosterTurns(after uint32) ([]RosterRow, error) {
	return r.rosters(`SELECT version, note, root, taken FROM rosters
		WHERE version IN (SELECT min(version) FROM rosters GROUP BY root) AND version > ? ORDER BY version`, after)
}

func (r *Reader) rosters(query string, args ...any) ([]RosterRow, error) {
	var list []RosterRow
	rows, err := r.Query(query, args...)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var row RosterRow
		var taken int64
		err := rows.Scan(&row.Version, &row.Note, &row.Root, &taken)
		row.Taken = Time(taken)
		list = append(list, row)
		return err
	})
}
