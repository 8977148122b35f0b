package store

import (
	"database/sql"
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// Log is how far one log is known.
type Log struct {
	record.LogID
	Head   uint32      // highest contiguous signed seq
	Hash   record.Hash // of the record there; zero at 0
	Forked uint32      // lowest seq with two histories; 0: none
}

const logColumns = `hub, incarnation, head, hash, forked`

func scanLog(scan func(...any) error) (Log, error) {
	var l Log
	var hub, hash []byte
	if err := scan(&hub, &l.Incarnation, &l.Head, &hash, &l.Forked); err != nil {
		return Log{}, err
	}
	l.Hub, l.Hash = territory.HubID(hub), record.Hash(hash)
	return l, nil
}

// Log returns one log; the zero head when nothing of it is known.
func (r *Reader) Log(id record.LogID) (Log, error) {
	l, err := scanLog(r.QueryRow(`SELECT `+logColumns+` FROM logs WHERE hub = ? AND incarnation = ?`,
		id.Hub[:], id.Incarnation).Scan)
	if found, err := Found(err); err != nil || !found {
		return Log{LogID: id}, err
	}
	return l, nil
}

// Logs returns every log, by hub and incarnation.
func (r *Reader) Logs() (out []Log, err error) {
	rows, err := r.Query(`SELECT ` + logColumns + ` FROM logs ORDER BY hub, incarnation`)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		l, err := scanLog(rows.Scan)
		out = append(out, l)
		return err
	})
}

// CountOtherLogs returns how many logs of an author are known besides this one.
func (r *Reader) CountOtherLogs(id record.LogID) (n int, err error) {
	err = r.QueryRow(`SELECT count(*) FROM logs WHERE hub = ? AND incarnation <> ?`, id.Hub[:], id.Incarnation).Scan(&n)
	return n, err
}

// CrowdedAuthors returns the authors of at least so many logs.
func (r *Reader) CrowdedAuthors(logs int) (out []territory.HubID, err error) {
	rows, err := r.Query(`SELECT hub FROM logs GROUP BY hub HAVING count(*) >= ? ORDER BY hub`, logs)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var hub []byte
		err := rows.Scan(&hub)
		if err == nil {
			out = append(out, territory.HubID(hub))
		}
		return err
	})
}

// ForkedLogs returns how many logs of an author have two histories.
func (r *Reader) ForkedLogs(hub territory.HubID) (n int, err error) {
	err = r.QueryRow(`SELECT count(*) FROM logs WHERE hub = ? AND forked > 0`, hub[:]).Scan(&n)
	return n, err
}

// Fork is an author whose logs have two histories.
type Fork struct {
	Hub   territory.HubID
	Logs  int
	Since time.Time // when the first fork was met
}

// Forks returns them by author.
func (r *Reader) Forks() (out []Fork, err error) {
	rows, err := r.Query(`SELECT logs.hub, count(DISTINCT logs.incarnation), coalesce(min(received), 0) FROM logs JOIN records
		ON records.hub = logs.hub AND records.incarnation = logs.incarnation AND records.seq = logs.forked
		WHERE forked > 0 GROUP BY logs.hub ORDER BY logs.hub`)
	return out, Each(rows, err, func(rows *sql.Rows) error {
		var f Fork
		var hub []byte
		var since int64
		err := rows.Scan(&hub, &f.Logs, &since)
		if err == nil {
			f.Hub, f.Since = territory.HubID(hub), Time(since)
			out = append(out, f)
		}
		return err
	})
}

// PutLog writes how far a log is known.
func (tx *Tx) PutLog(l Log) error {
	_, err := tx.Exec(`INSERT INTO logs (hub, incarnation, head, hash, forked) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (hub, incarnation) DO UPDATE SET head = excluded.head, hash = excluded.hash, forked = excluded.forked`,
		l.Hub[:], l.Incarnation, l.Head, l.Hash[:], l.Forked)
	return err
}
