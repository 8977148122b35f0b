package store

import "time"

// passesKept is how many outcomes of national passes are kept.
const passesKept = 200

// JobLast returns the last success of a job; zero for never.
func (r *Reader) JobLast(name string) (time.Time, error) {
	var last int64
	_, err := Found(r.QueryRow(`SELECT last FROM jobs WHERE name = ?`, name).Scan(&last))
	return Time(last), err
}

// PutJob notes a success of a job. An earlier one than known changes nothing.
func (tx *Tx) PutJob(name string, at time.Time) error {
	_, err := tx.Exec(`INSERT INTO jobs (name, last) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last)`, name, Millis(at))
	return err
}

// NationalPass is the outcome of one reconciliation as it is kept.
type NationalPass struct {
	At        time.Time
	Up, Down  int
	Drift     int
	OctetsOut int64
	OctetsIn  int64
	Err       string
}

// PutNationalPass keeps an outcome and drops the oldest.
func (tx *Tx) PutNationalPass(p NationalPass) error {
	result, err := tx.Exec(`INSERT INTO national_passes (at, up, down, drift, octets_out, octets_in, error)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, Millis(p.At), p.Up, p.Down, p.Drift, p.OctetsOut, p.OctetsIn, p.Err)
	if err != nil {
		return err
	}
	id, err := result.LastInsertId()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM national_passes WHERE id <= ?`, id-passesKept)
	return err
}

// LastNationalPass returns the last outcome and whether there is one.
func (r *Reader) LastNationalPass() (p NationalPass, found bool, err error) {
	var at int64
	found, err = Found(r.QueryRow(`SELECT at, up, down, drift, octets_out, octets_in, error
		FROM national_passes ORDER BY id DESC LIMIT 1`).
		Scan(&at, &p.Up, &p.Down, &p.Drift, &p.OctetsOut, &p.OctetsIn, &p.Err))
	p.At = Time(at)
	return p, found, err
}

// LastNationalSuccess returns when a pass last succeeded; zero for never.
func (r *Reader) LastNationalSuccess() (time.Time, error) {
	var at int64
	err := r.QueryRow(`SELECT coalesce(max(at), 0) FROM national_passes WHERE error = ''`).Scan(&at)
	return Time(at), err
}
