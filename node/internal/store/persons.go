package store

// PersonKey returns a person's wrapped key: nil once it was erased. found is
// false for somebody never written down.
func (r *Reader) PersonKey(id [16]byte) (wrapped []byte, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT wrapped FROM persons WHERE id = ?`, id[:]).Scan(&wrapped))
	return wrapped, found, err
}

// PutPersonKey keeps a new person's wrapped key.
func (tx *Tx) PutPersonKey(id [16]byte, wrapped []byte) error {
	_, err := tx.Exec(`INSERT INTO persons (id, wrapped) VALUES (?, ?)`, id[:], wrapped)
	return err
}

// ErasePersonKey destroys a person's key, and tells whether there was one. The
// octets are overwritten (secure_delete), and gone from the write-ahead log right
// after the commit or, while somebody reads, with one that follows.
func (tx *Tx) ErasePersonKey(id [16]byte) (bool, error) {
	tx.db.erased = true
	result, err := tx.Exec(`UPDATE persons SET wrapped = NULL, erased_at = ? WHERE id = ? AND wrapped IS NOT NULL`,
		Millis(tx.Now), id[:])
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
