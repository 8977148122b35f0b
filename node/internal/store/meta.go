package store

import "database/sql"

// Meta returns one value of what the hub is, and whether it is there.
func (r *Reader) Meta(key string) (value []byte, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT value FROM meta WHERE key = ?`, key).Scan(&value))
	return value, found, err
}

// AllMeta returns every value of what the hub is.
func (r *Reader) AllMeta() (map[string][]byte, error) {
	values := make(map[string][]byte)
	rows, err := r.Query(`SELECT key, value FROM meta`)
	return values, Each(rows, err, func(rows *sql.Rows) error {
		var key string
		var value []byte
		err := rows.Scan(&key, &value)
		values[key] = value
		return err
	})
}

// PutMeta sets one value.
func (tx *Tx) PutMeta(key string, value []byte) error {
	_, err := tx.Exec(`INSERT INTO meta (key, value) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}
