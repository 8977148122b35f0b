package store

import (
	"database/sql"
	"time"
)

// NationalList is how far the national service's list of structures was followed.
type NationalList struct {
	Cursor string
	Crawl  int64 // the reading that it is followed under
}

// NationalList returns it, and whether the list was ever begun.
func (r *Reader) NationalList() (l NationalList, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT cursor, crawl FROM national_list`).Scan(&l.Cursor, &l.Crawl))
	return l, found, err
}

// PutNationalList writes it.
func (tx *Tx) PutNationalList(l NationalList) error {
	_, err := tx.Exec(`INSERT INTO national_list (id, cursor, crawl) VALUES (1, ?, ?)
		ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor, crawl = excluded.crawl`, l.Cursor, l.Crawl)
	return err
}

// DropDirectoryEntry notes that an entry is gone. It returns false for one that is
// not there.
func (tx *Tx) DropDirectoryEntry(id [16]byte) (bool, error) {
	return changed(tx.Exec(`UPDATE directory SET gone = ? WHERE id = ? AND gone = 0`, Millis(tx.Now), id[:]))
}

// MeetDirectoryEntry notes that a reading met an entry, whatever it says of it now.
func (tx *Tx) MeetDirectoryEntry(id [16]byte, crawl int64) error {
	_, err := tx.Exec(`UPDATE directory SET crawl = ? WHERE id = ? AND gone = 0`, crawl, id[:])
	return err
}

// DirectoryBySIRET returns the entries that are there with a SIRET: as a rule one,
// though nothing nationally keeps two structures from having the same.
func (r *Reader) DirectoryBySIRET(siret string, limit int) (list []DirectoryEntry, err error) {
	rows, err := r.Query(`SELECT `+directoryColumns+` FROM directory WHERE siret = ? AND gone = 0 ORDER BY name, id LIMIT ?`, siret, limit)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		e, err := scanDirectory(rows.Scan)
		list = append(list, e)
		return err
	})
}

// SetAside is an item of the national list that could not be read.
type SetAside struct {
	Key    [16]byte
	Named  bool // Key is the structure's identifier; false: a digest of the item
	Reason string
	Since  time.Time
}

// PutAside keeps an item that a reading met, since the first time.
func (tx *Tx) PutAside(a SetAside, crawl int64) error {
	_, err := tx.Exec(`INSERT INTO set_aside (key, named, reason, since, crawl) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET reason = excluded.reason, crawl = excluded.crawl`,
		a.Key[:], a.Named, a.Reason, Millis(tx.Now), crawl)
	return err
}

// DropAside forgets an item, which could be read since.
func (tx *Tx) DropAside(key [16]byte) error {
	_, err := tx.Exec(`DELETE FROM set_aside WHERE key = ?`, key[:])
	return err
}

// DropAsidesUnmet forgets the items that no reading met since one.
func (tx *Tx) DropAsidesUnmet(crawl int64) error {
	_, err := tx.Exec(`DELETE FROM set_aside WHERE crawl < ?`, crawl)
	return err
}

// CountAside counts the items.
func (r *Reader) CountAside() (n int, err error) {
	err = r.QueryRow(`SELECT count(*) FROM set_aside`).Scan(&n)
	return n, err
}

// Asides returns the items, the newest first, at most limit.
func (r *Reader) Asides(limit int) (list []SetAside, err error) {
	rows, err := r.Query(`SELECT key, named, reason, since FROM set_aside ORDER BY since DESC, key LIMIT ?`, limit)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		var a SetAside
		var key []byte
		var since int64
		err := rows.Scan(&key, &a.Named, &a.Reason, &since)
		copy(a.Key[:], key)
		a.Since = Time(since)
		list = append(list, a)
		return err
	})
}
