package store

import (
	"database/sql"
	"time"

	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// MandateRow is a mandate as it is kept: what rules need in clear, the rest
// sealed.
type MandateRow struct {
	ID            mandate.ID
	Structure     territory.StructureID
	Person        people.BeneficiaryID
	Accompaniment mediation.AccompanimentID // zero when the dossier was received
	Regime        record.MandateKind
	Scopes        []mandate.Scope // of each line, in order
	Start, End    time.Time
	Paper         mandate.Paper
	StopCode      []byte // sealed; nil once handed over
	Content       []byte // the dossier, sealed
}

const mandateColumns = `id, structure, person, accompaniment, regime, scopes, start, finish,
	printed, signed, handed, stop_code, content`

func scanMandate(row interface{ Scan(...any) error }) (m MandateRow, err error) {
	var id, structure, person, visit, scopes []byte
	var start, finish, printed, signed, handed int64
	err = row.Scan(&id, &structure, &person, &visit, &m.Regime, &scopes, &start, &finish,
		&printed, &signed, &handed, &m.StopCode, &m.Content)
	if err != nil {
		return MandateRow{}, err
	}
	m.ID, m.Structure, m.Person = mandate.ID(id), territory.StructureID(structure), people.BeneficiaryID(person)
	if visit != nil {
		m.Accompaniment = mediation.AccompanimentID(visit)
	}
	for _, n := range scopes {
		m.Scopes = append(m.Scopes, mandate.ScopeNumbered(n))
	}
	m.Start, m.End = Time(start), Time(finish)
	m.Paper = mandate.Paper{PrintedAt: Time(printed), SignedAt: Time(signed), HandedAt: Time(handed)}
	return m, nil
}

// Mandate returns a mandate and whether its dossier is here.
func (r *Reader) Mandate(id mandate.ID) (m MandateRow, found bool, err error) {
	m, err = scanMandate(r.QueryRow(`SELECT `+mandateColumns+` FROM mandates WHERE id = ?`, id[:]))
	found, err = Found(err)
	return m, found, err
}

// MandateOf returns the mandate that a visit led to and whether there is one.
func (r *Reader) MandateOf(id mediation.AccompanimentID) (m MandateRow, found bool, err error) {
	m, err = scanMandate(r.QueryRow(`SELECT `+mandateColumns+` FROM mandates WHERE accompaniment = ?`, id[:]))
	found, err = Found(err)
	return m, found, err
}

// MandatesBefore lists a structure's mandates, newest first, at most limit, from
// below the place of one of them; the zero place begins at the newest.
func (r *Reader) MandatesBefore(s territory.StructureID, start time.Time, id mandate.ID, limit int) ([]MandateRow, error) {
	var list []MandateRow
	var rows *sql.Rows
	var err error
	if id.IsZero() {
		rows, err = r.Query(`SELECT `+mandateColumns+` FROM mandates WHERE structure = ?
			ORDER BY start DESC, id DESC LIMIT ?`, s[:], limit)
	} else {
		rows, err = r.Query(`SELECT `+mandateColumns+` FROM mandates WHERE structure = ? AND (start, id) < (?, ?)
			ORDER BY start DESC, id DESC LIMIT ?`, s[:], Millis(start), id[:], limit)
	}
	return list, Each(rows, err, func(rows *sql.Rows) error {
		m, err := scanMandate(rows)
		list = append(list, m)
		return err
	})
}

// PutMandate keeps a mandate. It returns false when its dossier was here already.
func (tx *Tx) PutMandate(m MandateRow) (bool, error) {
	scopes := make([]byte, len(m.Scopes))
	for i, s := range m.Scopes {
		scopes[i] = s.Number()
	}
	var visit any
	if !m.Accompaniment.IsZero() {
		visit = m.Accompaniment[:]
	}
	return changed(tx.Exec(`INSERT INTO mandates (`+mandateColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
		m.ID[:], m.Structure[:], m.Person[:], visit, m.Regime, scopes, Millis(m.Start), Millis(m.End),
		Millis(m.Paper.PrintedAt), Millis(m.Paper.SignedAt), Millis(m.Paper.HandedAt), m.StopCode, m.Content))
}

// RewriteDossier keeps another spelling of a mandate's dossier, and forgets the one
// that was sealed for other hubs, if any.
func (tx *Tx) RewriteDossier(id mandate.ID, content []byte) error {
	if _, err := tx.Exec(`UPDATE mandates SET content = ? WHERE id = ?`, content, id[:]); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM dossiers WHERE mandate = ?`, id[:])
	return err
}

// MarkPrinted notes the first printing. It returns false when it was noted.
func (tx *Tx) MarkPrinted(id mandate.ID) (bool, error) {
	return changed(tx.Exec(`UPDATE mandates SET printed = ? WHERE id = ? AND printed = 0`, Millis(tx.Now), id[:]))
}

// ConfirmPaper notes that both copies are signed and one was handed over, and
// erases the stop code. It returns false when it was noted.
func (tx *Tx) ConfirmPaper(id mandate.ID) (bool, error) {
	now := Millis(tx.Now)
	return changed(tx.Exec(`UPDATE mandates SET printed = CASE printed WHEN 0 THEN ?1 ELSE printed END,
		signed = ?1, handed = ?1, stop_code = NULL WHERE id = ?2 AND signed = 0`, now, id[:]))
}

// DropStopCodes erases the stop codes of mandates that were over before a moment.
func (tx *Tx) DropStopCodes(before time.Time) (int64, error) {
	result, err := tx.Exec(`UPDATE mandates SET stop_code = NULL WHERE stop_code IS NOT NULL AND finish <= ?`, Millis(before))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
