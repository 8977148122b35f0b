package store

import (
	"database/sql"
	"strings"
	"time"
)

// Crawl is one reading of the public directory.
type Crawl struct {
	Number int64
	Began  time.Time
	Page   int // the last one taken; 0: none
	Ended  time.Time
	Total  int // what the directory said it holds
}

// crawlsKept is how many readings are kept.
const crawlsKept = 20

func (r *Reader) crawl(query string) (c Crawl, found bool, err error) {
	var began, ended int64
	found, err = Found(r.QueryRow(`SELECT number, began, page, ended, total FROM crawls `+query).
		Scan(&c.Number, &began, &c.Page, &ended, &c.Total))
	c.Began, c.Ended = Time(began), Time(ended)
	return c, found, err
}

// LastCrawl returns the last reading, under way or not.
func (r *Reader) LastCrawl() (Crawl, bool, error) { return r.crawl(`ORDER BY number DESC LIMIT 1`) }

// LastWholeCrawl returns the last reading that came to its end.
func (r *Reader) LastWholeCrawl() (Crawl, bool, error) {
	return r.crawl(`WHERE ended <> 0 ORDER BY number DESC LIMIT 1`)
}

// PutCrawl writes where a reading stands, and drops the oldest.
func (tx *Tx) PutCrawl(c Crawl) error {
	_, err := tx.Exec(`INSERT INTO crawls (number, began, page, ended, total) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (number) DO UPDATE SET page = excluded.page, ended = excluded.ended, total = excluded.total`,
		c.Number, Millis(c.Began), c.Page, Millis(c.Ended), c.Total)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM crawls WHERE number <= ?`, c.Number-crawlsKept)
	return err
}

// DirectoryEntry is a structure of the public directory.
type DirectoryEntry struct {
	ID       [16]byte
	Name     string
	Commune  string
	Postcode string
	Address  string
	SIRET    string
	Modified string    // as the directory writes it
	Gone     time.Time // since when it is not there; zero: it is

	// Habilitation is what the national service's list says of it, Since when: the
	// day, as it writes it. The public directory says neither.
	Habilitation Habilitation
	Since        string
}

// Habilitation is where a structure stands with Aidants Connect: a national decision,
// which gives no right in a territory.
type Habilitation string

// The habilitations. The public directory has the empty one: whoever is there is
// habilitated, it does not say since when.
const (
	HabilitationNone   Habilitation = "none"
	HabilitationActive Habilitation = "active"
	HabilitationEnded  Habilitation = "ended"
)

const directoryColumns = `id, name, commune, postcode, address, siret, modified, gone, habilitation, since`

func scanDirectory(scan func(...any) error) (e DirectoryEntry, err error) {
	var id []byte
	var gone int64
	err = scan(&id, &e.Name, &e.Commune, &e.Postcode, &e.Address, &e.SIRET, &e.Modified, &gone, &e.Habilitation, &e.Since)
	copy(e.ID[:], id)
	e.Gone = Time(gone)
	return e, err
}

// DirectoryEntry returns an entry and whether it was ever met.
func (r *Reader) DirectoryEntry(id [16]byte) (e DirectoryEntry, found bool, err error) {
	e, err = scanDirectory(r.QueryRow(`SELECT `+directoryColumns+` FROM directory WHERE id = ?`, id[:]).Scan)
	found, err = Found(err)
	return e, found, err
}

// PutDirectoryEntry keeps an entry that a reading met.
func (tx *Tx) PutDirectoryEntry(e DirectoryEntry, folded string, crawl int64) error {
	_, err := tx.Exec(`INSERT INTO directory (id, name, commune, postcode, address, siret, modified, folded, crawl, gone, habilitation, since)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, commune = excluded.commune, postcode = excluded.postcode,
			address = excluded.address, siret = excluded.siret, modified = excluded.modified, folded = excluded.folded,
			crawl = excluded.crawl, gone = 0, habilitation = excluded.habilitation, since = excluded.since`,
		e.ID[:], e.Name, e.Commune, e.Postcode, e.Address, e.SIRET, e.Modified, folded, crawl, string(e.Habilitation), e.Since)
	return err
}

// CountDirectory counts the entries that a reading met, and those that are there.
func (r *Reader) CountDirectory(crawl int64) (met, there int, err error) {
	err = r.QueryRow(`SELECT count(*) FILTER (WHERE crawl = ?), count(*) FROM directory WHERE gone = 0`, crawl).Scan(&met, &there)
	return met, there, err
}

// DropUnmet notes as gone what was not met since a reading, and counts them.
func (tx *Tx) DropUnmet(crawl int64) (int64, error) {
	result, err := tx.Exec(`UPDATE directory SET gone = ? WHERE crawl < ? AND gone = 0`, Millis(tx.Now), crawl)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// SearchDirectory returns entries that are there and hold every word, by commune and
// name, at most limit.
func (r *Reader) SearchDirectory(words []string, limit int) (list []DirectoryEntry, err error) {
	query, args := `SELECT `+directoryColumns+` FROM directory WHERE gone = 0`, []any{}
	for _, w := range words {
		query += ` AND folded LIKE ? ESCAPE '\'`
		args = append(args, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(w)+"%")
	}
	rows, err := r.Query(query+` ORDER BY commune, name, id LIMIT ?`, append(args, limit)...)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		e, err := scanDirectory(rows.Scan)
		list = append(list, e)
		return err
	})
}
