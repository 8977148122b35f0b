package store

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"relais/node/journal"
)

// JournalSize is the number of entries, which is the number of the next.
func (tx *Tx) JournalSize() int64 { return tx.db.tree.Size() }

// AppendJournal adds an entry and the tree hashes it completes, and returns its
// number, from 0.
func (tx *Tx) AppendJournal(e JournalRow) (seq int64, err error) {
	leaf, err := e.Leaf()
	if err != nil {
		return 0, err
	}
	before := tx.db.tree.Clone()
	seq = before.Size()
	var person, mac any
	if e.Sealed != nil {
		person, mac = e.Person[:], e.MAC[:]
	}
	public := e.Public
	if public == nil {
		public = []byte{}
	}
	_, err = tx.Exec(`INSERT INTO journal (seq, at, kind, actor, subject, person, public, mac, sealed, hashes)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		seq, e.At.UnixMilli(), string(e.Kind), e.Actor, e.Subject, person, public, mac, e.Sealed,
		journal.JoinHashes(tx.db.tree.Append(leaf)))
	if err != nil {
		tx.db.tree = before
		return 0, fmt.Errorf("append journal entry %d: %w", seq, err)
	}
	return seq, nil
}

// ReadHashes implements tlog.HashReader over the stored hashes.
func (r *Reader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		seq := (n+1)<<level - 1 // the entry that completes it
		var text []byte
		if err := r.QueryRow(`SELECT hashes FROM journal WHERE seq = ?`, seq).Scan(&text); err != nil {
			return nil, fmt.Errorf("hashes of journal entry %d: %w", seq, err)
		}
		if len(text) < (level+1)*tlog.HashSize {
			return nil, fmt.Errorf("hashes of journal entry %d: level %d is missing", seq, level)
		}
		copy(hashes[i][:], text[level*tlog.HashSize:])
	}
	return hashes, nil
}

// resumeTree reads the right edge of the tree when the store opens.
func (db *DB) resumeTree(ctx context.Context) error {
	var size int64
	if err := db.writer.QueryRowContext(ctx, `SELECT coalesce(max(seq) + 1, 0) FROM journal`).Scan(&size); err != nil {
		return fmt.Errorf("read the journal's size: %w", err)
	}
	tree, err := journal.Resume(size, &Reader{db.writer})
	db.tree = tree
	return err
}

// Checkpoint is a signed tree head as it is kept.
type Checkpoint struct {
	Size int64
	Note []byte // C2SP
}

// LastCheckpoint returns the newest signed tree head and whether there is one.
func (r *Reader) LastCheckpoint() (c Checkpoint, found bool, err error) {
	found, err = Found(r.QueryRow(`SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1`).
		Scan(&c.Size, &c.Note))
	return c, found, err
}

// PutCheckpoint keeps a signed tree head.
func (tx *Tx) PutCheckpoint(c Checkpoint) error {
	_, err := tx.Exec(`INSERT INTO checkpoints (size, note) VALUES (?, ?)`, c.Size, c.Note)
	return err
}
