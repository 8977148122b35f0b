package store

import (
	"database/sql"
	"time"

	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// MirrorsOf returns the mandates that a batch led to, in its order, and the
// structure they are of; nothing for a batch that was not entered.
func (r *Reader) MirrorsOf(batch [16]byte) (ids []mandate.ID, structure territory.StructureID, err error) {
	rows, err := r.Query(`SELECT b.mandate, m.structure FROM mirrors b JOIN mandates m ON m.id = b.mandate
		WHERE b.batch = ? ORDER BY b.place`, batch[:])
	return ids, structure, Each(rows, err, func(rows *sql.Rows) error {
		var id, of []byte
		err := rows.Scan(&id, &of)
		if err == nil {
			ids, structure = append(ids, mandate.ID(id)), territory.StructureID(of)
		}
		return err
	})
}

// PutMirror notes which batch, and which place in it, led to a mandate.
func (tx *Tx) PutMirror(id mandate.ID, batch [16]byte, place int) error {
	_, err := tx.Exec(`INSERT INTO mirrors (mandate, batch, place) VALUES (?, ?, ?)`, id[:], batch[:], place)
	return err
}

// MirrorsMade returns a structure's mirrors of a day, entered here or received.
func (r *Reader) MirrorsMade(s territory.StructureID, start time.Time) (list []MandateRow, err error) {
	rows, err := r.Query(`SELECT `+mandateColumns+` FROM mandates WHERE structure = ? AND start = ? AND regime = ?`,
		s[:], Millis(start), record.AidantsConnect)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		m, err := scanMandate(rows)
		list = append(list, m)
		return err
	})
}
