package store

import (
	"context"
	"database/sql"
	"time"

	"relais/node/territory"
)

// Cosignature is a witness's word for a checkpoint, as it is kept.
type Cosignature struct {
	Size    int64 // of the checkpoint
	Witness territory.HubID
	At      time.Time // as the witness says
	Line    string    // C2SP, with its newline
}

// PutCosignature keeps a cosignature of a checkpoint that is kept, in the place of
// an earlier one.
func (tx *Tx) PutCosignature(c Cosignature) error {
	_, err := tx.Exec(`INSERT INTO cosignatures (size, witness, at, line) VALUES (?, ?, ?, ?)
		ON CONFLICT (size, witness) DO UPDATE SET at = excluded.at, line = excluded.line`,
		c.Size, c.Witness[:], Millis(c.At), c.Line)
	return err
}

// LastCosignature returns a witness's word for the longest journal, and whether
// there is one.
func (r *Reader) LastCosignature(witness territory.HubID) (c Cosignature, found bool, err error) {
	var at int64
	c.Witness = witness
	found, err = Found(r.QueryRow(`SELECT size, at, line FROM cosignatures WHERE witness = ? ORDER BY size DESC LIMIT 1`,
		witness[:]).Scan(&c.Size, &at, &c.Line))
	c.At = Time(at)
	return c, found, err
}

// WitnessRefusal is that a witness does not recognise this journal.
type WitnessRefusal struct {
	Since time.Time // zero: it does
	Held  int64     // entries of this journal that it saw
}

// PutWitnessRefusal notes a refusal. Said again, it is since the first time.
func (tx *Tx) PutWitnessRefusal(witness territory.HubID, held int64) error {
	_, err := tx.Exec(`INSERT INTO witness_refusals (witness, since, held) VALUES (?, ?, ?)
		ON CONFLICT (witness) DO UPDATE SET held = excluded.held`, witness[:], Millis(tx.Now), held)
	return err
}

// DropWitnessRefusal notes that a witness takes this journal.
func (tx *Tx) DropWitnessRefusal(witness territory.HubID) error {
	_, err := tx.Exec(`DELETE FROM witness_refusals WHERE witness = ?`, witness[:])
	return err
}

// WitnessRefusal returns what a witness refused; zero for nothing.
func (r *Reader) WitnessRefusal(witness territory.HubID) (w WitnessRefusal, err error) {
	var since int64
	_, err = Found(r.QueryRow(`SELECT since, held FROM witness_refusals WHERE witness = ?`, witness[:]).Scan(&since, &w.Held))
	w.Since = Time(since)
	return w, err
}

// Cosignatures lists the cosignatures by number of entries. A file of before them
// has none.
func (e *Evidence) Cosignatures(ctx context.Context) (list []Cosignature, err error) {
	var there bool
	err = e.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'cosignatures')`).Scan(&there)
	if err != nil || !there {
		return nil, err
	}
	rows, err := e.conn.QueryContext(ctx, `SELECT size, witness, at, line FROM cosignatures ORDER BY size`)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var v [4]any
		if err := rows.Scan(&v[0], &v[1], &v[2], &v[3]); err != nil {
			return err
		}
		s := strict{v: v[:]}
		c := Cosignature{Size: s.integer()}
		copy(c.Witness[:], s.optional(len(c.Witness)))
		c.At, c.Line = Time(s.integer()), s.text()
		list = append(list, c)
		return s.err
	})
}
