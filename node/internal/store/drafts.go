package store

import (
	"time"

	"relais/node/mediation"
)

// DraftRow is a mandate being drawn up, as it is kept.
type DraftRow struct {
	Version int64  // from 1
	Content []byte // sealed
	Updated time.Time
}

// Draft returns the draft of a visit and whether there is one.
func (r *Reader) Draft(id mediation.AccompanimentID) (d DraftRow, found bool, err error) {
	var updated int64
	found, err = Found(r.QueryRow(`SELECT version, content, updated FROM drafts WHERE accompaniment = ?`, id[:]).
		Scan(&d.Version, &d.Content, &updated))
	d.Updated = Time(updated)
	return d, found, err
}

// PutDraft keeps a draft over the version it was filled on, 0 for a first. It
// returns false when the row moved on since.
func (tx *Tx) PutDraft(id mediation.AccompanimentID, over int64, content []byte) (bool, error) {
	if over == 0 {
		return changed(tx.Exec(`INSERT INTO drafts (accompaniment, version, content, updated) VALUES (?, 1, ?, ?)
			ON CONFLICT DO NOTHING`, id[:], content, Millis(tx.Now)))
	}
	return changed(tx.Exec(`UPDATE drafts SET version = version + 1, content = ?, updated = ?
		WHERE accompaniment = ? AND version = ?`, content, Millis(tx.Now), id[:], over))
}

// DropDraft forgets the draft of a visit.
func (tx *Tx) DropDraft(id mediation.AccompanimentID) error {
	_, err := tx.Exec(`DELETE FROM drafts WHERE accompaniment = ?`, id[:])
	return err
}

// DropDrafts forgets the drafts not touched since a moment.
func (tx *Tx) DropDrafts(before time.Time) error {
	_, err := tx.Exec(`DELETE FROM drafts WHERE updated < ?`, Millis(before))
	return err
}
