package store

import (
	"database/sql"
	"time"
)

// Secret is a sealed value of the key-value store.
type Secret struct {
	Key      string
	Value    []byte // sealed; nil in a list
	Size     int64  // of what is sealed, in octets
	Modified time.Time
}

// Secret returns one value and whether it is there.
func (r *Reader) Secret(key string) (s Secret, found bool, err error) {
	var modified int64
	s.Key = key
	found, err = Found(r.QueryRow(`SELECT value, size, modified FROM secrets WHERE key = ?`, key).
		Scan(&s.Value, &s.Size, &modified))
	s.Modified = Time(modified)
	return s, found, err
}

// Secrets lists the values whose key begins with prefix, by key, without them.
func (r *Reader) Secrets(prefix string) ([]Secret, error) {
	var list []Secret
	// Not LIKE, in which % and _ of a host name would mean something else.
	rows, err := r.Query(`SELECT key, size, modified FROM secrets
		WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key`, prefix)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var s Secret
		var modified int64
		err := rows.Scan(&s.Key, &s.Size, &modified)
		s.Modified = Time(modified)
		list = append(list, s)
		return err
	})
}

// PutSecret sets one value.
func (tx *Tx) PutSecret(s Secret) error {
	_, err := tx.Exec(`INSERT INTO secrets (key, value, size, modified) VALUES (?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, size = excluded.size, modified = excluded.modified`,
		s.Key, s.Value, s.Size, Millis(tx.Now))
	return err
}

// DeleteSecret removes one value and tells whether it was there.
func (tx *Tx) DeleteSecret(key string) (bool, error) {
	result, err := tx.Exec(`DELETE FROM secrets WHERE key = ?`, key)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
