package store

import (
	"database/sql"
	"encoding/binary"

	"relais/node/seal"
)

// Sealed is a column of values that are sealed under the hub's key. Its texts are
// constants of the program.
type Sealed struct {
	Table, Key, Column string // Key is the column of the primary key
	// Where names the rows, in a table that holds values in clear too; "" is all.
	Where string
}

// SealedRow is a value of such a column.
type SealedRow struct {
	ID    int64 // rowid
	Key   any   // []byte or string
	Value []byte
}

// of is the condition that a value was sealed under another key than the
// parameter: the key id follows the first octet of the header. An empty cell, as
// of a person who was forgotten, is sealed under none.
func (c Sealed) of() string {
	where := ` FROM ` + c.Table + ` WHERE substr(` + c.Column + `, 2, 4) <> ?`
	if c.Where != "" {
		where += ` AND ` + c.Where
	}
	return where
}

func keyOctets(key uint32) []byte { return binary.BigEndian.AppendUint32(nil, key) }

// CountSealed counts the values sealed under another key than this one.
func (r *Reader) CountSealed(c Sealed, other uint32) (n int, err error) {
	err = r.QueryRow(`SELECT count(*)`+c.of(), keyOctets(other)).Scan(&n)
	return n, err
}

// SealedRows lists the values sealed under another key than this one, by rowid,
// from after it and no more than most.
func (r *Reader) SealedRows(c Sealed, other uint32, after int64, most int) (list []SealedRow, err error) {
	rows, err := r.Query(`SELECT rowid, `+c.Key+`, `+c.Column+c.of()+` AND rowid > ? ORDER BY rowid LIMIT ?`,
		keyOctets(other), after, most)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var s SealedRow
		err := rows.Scan(&s.ID, &s.Key, &s.Value)
		list = append(list, s)
		return err
	})
}

// PutSealed puts back a value that was sealed again. It says what it said, so that
// the journal has no entry of it.
func (tx *Tx) PutSealed(c Sealed, id int64, value []byte) error {
	return tx.rewrap(`UPDATE `+c.Table+` SET `+c.Column+` = ? WHERE rowid = ?`, value, id)
}

// rewrap runs a statement that changes how something is kept, and not what it
// says.
func (tx *Tx) rewrap(query string, args ...any) error {
	tx.db.rule.rewraps = true
	defer func() { tx.db.rule.rewraps = false }()
	_, err := tx.Exec(query, args...)
	return err
}

// LoginRow is the keyed hash of an account's login.
type LoginRow struct {
	ID  int64 // rowid
	Tag seal.Tag
}

// CountLogins counts the keyed hashes made under another key than this one.
func (r *Reader) CountLogins(other uint32) (n int, err error) {
	err = r.QueryRow(`SELECT count(*) FROM helpers WHERE login_key <> ?`, other).Scan(&n)
	return n, err
}

// LoginRows lists them by rowid, from after it and no more than most.
func (r *Reader) LoginRows(other uint32, after int64, most int) (list []LoginRow, err error) {
	rows, err := r.Query(`SELECT rowid, login, login_key FROM helpers WHERE login_key <> ? AND rowid > ? ORDER BY rowid LIMIT ?`,
		other, after, most)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var l LoginRow
		var sum []byte
		err := rows.Scan(&l.ID, &sum, &l.Tag.Key)
		l.Tag.Sum = [32]byte(sum)
		list = append(list, l)
		return err
	})
}

// PutLogin puts back a keyed hash that was brought to another key.
func (tx *Tx) PutLogin(l LoginRow) error {
	return tx.rewrap(`UPDATE helpers SET login = ?, login_key = ? WHERE rowid = ?`, l.Tag.Sum[:], l.Tag.Key, l.ID)
}

// Overwritten says that what this transaction wrote over must not stay in the
// write-ahead log either: see scrub.
func (tx *Tx) Overwritten() { tx.db.erased = true }
