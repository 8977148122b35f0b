package store

import "time"

// Session returns the sealed data of a session that has not ended, and whether
// there is one.
func (r *Reader) Session(token [32]byte, now time.Time) (data []byte, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT data FROM sessions WHERE token = ? AND expires > ?`,
		token[:], Millis(now)).Scan(&data))
	return data, found, err
}

// PutSession keeps a session's sealed data until expires.
func (tx *Tx) PutSession(token [32]byte, data []byte, expires time.Time) error {
	_, err := tx.Exec(`INSERT INTO sessions (token, data, expires) VALUES (?, ?, ?)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires`,
		token[:], data, Millis(expires))
	return err
}

// DeleteSession removes a session. Removing it twice is no error.
func (tx *Tx) DeleteSession(token [32]byte) error {
	_, err := tx.Exec(`DELETE FROM sessions WHERE token = ?`, token[:])
	return err
}

// ExpireSessions removes the sessions that have ended.
func (tx *Tx) ExpireSessions() error {
	_, err := tx.Exec(`DELETE FROM sessions WHERE expires <= ?`, Millis(tx.Now))
	return err
}

// ExpireLimits forgets the delays and quotas past their end.
func (tx *Tx) ExpireLimits() error {
	_, err := tx.Exec(`DELETE FROM limits WHERE until <= ?`, Millis(tx.Now))
	return err
}
