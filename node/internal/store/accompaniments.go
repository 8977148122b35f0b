package store

import (
	"database/sql"
	"time"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

// AccompanimentRow is a visit as it is kept, with what hangs on it.
type AccompanimentRow struct {
	mediation.Accompaniment
	Mandate    mandate.ID // zero: none yet
	HelperName []byte     // sealed
	HasDraft   bool
}

const selectAccompaniment = `SELECT v.id, v.structure, v.helper, v.posture, v.theme, v.person, v.opened, v.closed,
		m.id, a.name, d.accompaniment IS NOT NULL
	FROM accompaniments v
	JOIN helpers a ON a.id = v.helper
	LEFT JOIN mandates m ON m.accompaniment = v.id
	LEFT JOIN drafts d ON d.accompaniment = v.id `

func scanAccompaniment(row interface{ Scan(...any) error }) (v AccompanimentRow, err error) {
	var id, structure, helper, person, mandateID []byte
	var opened, closed int64
	err = row.Scan(&id, &structure, &helper, &v.Posture, &v.Theme, &person, &opened, &closed,
		&mandateID, &v.HelperName, &v.HasDraft)
	if err != nil {
		return AccompanimentRow{}, err
	}
	v.ID, v.Structure, v.Helper = mediation.AccompanimentID(id), territory.StructureID(structure), people.HelperID(helper)
	v.OpenedAt, v.ClosedAt = Time(opened), Time(closed)
	if person != nil {
		v.Beneficiary = people.BeneficiaryID(person)
	}
	if mandateID != nil {
		v.Mandate = mandate.ID(mandateID)
	}
	return v, nil
}

// Accompaniment returns a visit and whether there is one.
func (r *Reader) Accompaniment(id mediation.AccompanimentID) (v AccompanimentRow, found bool, err error) {
	v, err = scanAccompaniment(r.QueryRow(selectAccompaniment+`WHERE v.id = ?`, id[:]))
	found, err = Found(err)
	return v, found, err
}

// Accompaniments lists a structure's visits opened since a moment and those still
// open, newest first, at most limit.
func (r *Reader) Accompaniments(s territory.StructureID, since time.Time, limit int) ([]AccompanimentRow, error) {
	var list []AccompanimentRow
	rows, err := r.Query(selectAccompaniment+`WHERE v.structure = ? AND (v.opened >= ? OR v.closed = 0)
		ORDER BY v.opened DESC, v.id LIMIT ?`, s[:], Millis(since), limit)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		v, err := scanAccompaniment(rows)
		list = append(list, v)
		return err
	})
}

// PutAccompaniment opens a visit. It returns false when the identifier is taken.
func (tx *Tx) PutAccompaniment(v mediation.Accompaniment) (bool, error) {
	return changed(tx.Exec(`INSERT INTO accompaniments (id, structure, helper, posture, theme, opened, closed)
		VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING`,
		v.ID[:], v.Structure[:], v.Helper[:], string(v.Posture), v.Theme, Millis(v.OpenedAt)))
}

// CloseAccompaniment ends a visit. It returns false when it had ended.
func (tx *Tx) CloseAccompaniment(id mediation.AccompanimentID, at time.Time) (bool, error) {
	return changed(tx.Exec(`UPDATE accompaniments SET closed = max(opened, ?) WHERE id = ? AND closed = 0`, Millis(at), id[:]))
}

// NameAccompaniment says whose visit it was.
func (tx *Tx) NameAccompaniment(id mediation.AccompanimentID, person people.BeneficiaryID) error {
	_, err := tx.Exec(`UPDATE accompaniments SET person = ? WHERE id = ?`, person[:], id[:])
	return err
}
