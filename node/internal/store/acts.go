package store

import (
	"database/sql"

	"relais/node/mandate"
	"relais/node/people"
)

// ActRow is an act as it is kept. Its Note is empty; the sealed one is beside.
type ActRow struct {
	mandate.Act
	Sealed     []byte // the note under the person's key; nil when there is none
	HelperName []byte // sealed; empty on the way in
}

const selectAct = `SELECT t.id, t.mandate, t.line, t.helper, t.channel, t.present, t.signs_in, t.pays, t.note, t.at, a.name
	FROM acts t JOIN helpers a ON a.id = t.helper `

func scanAct(row interface{ Scan(...any) error }) (t ActRow, err error) {
	var id, mandateID, helper []byte
	var at int64
	err = row.Scan(&id, &mandateID, &t.Line, &helper, &t.Channel, &t.Present, &t.SignsIn, &t.Pays, &t.Sealed, &at, &t.HelperName)
	if err != nil {
		return ActRow{}, err
	}
	t.ID, t.Mandate, t.Helper, t.At = mandate.ActID(id), mandate.ID(mandateID), people.HelperID(helper), Time(at)
	return t, nil
}

// Act returns an act and whether there is one.
func (r *Reader) Act(id mandate.ActID) (t ActRow, found bool, err error) {
	t, err = scanAct(r.QueryRow(selectAct+`WHERE t.id = ?`, id[:]))
	found, err = Found(err)
	return t, found, err
}

// Acts lists what was done here under a mandate, newest first, at most limit.
func (r *Reader) Acts(id mandate.ID, limit int) ([]ActRow, error) {
	var list []ActRow
	rows, err := r.Query(selectAct+`WHERE t.mandate = ? ORDER BY t.at DESC, t.rowid DESC LIMIT ?`, id[:], limit)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		t, err := scanAct(rows)
		list = append(list, t)
		return err
	})
}

// PutAct keeps an act.
func (tx *Tx) PutAct(t ActRow) error {
	_, err := tx.Exec(`INSERT INTO acts (id, mandate, line, helper, channel, present, signs_in, pays, note, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.ID[:], t.Mandate[:], t.Line, t.Helper[:], string(t.Channel), t.Present, t.SignsIn, t.Pays, t.Sealed, Millis(t.At))
	return err
}
