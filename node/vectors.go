package node

import (
	"context"
	"crypto/rand"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// Vector is what this hub knows, with a fresh salt. Without a roster it is empty.
// A log of another hub of which only held records are known is in it with seq 0.
func (n *Node) Vector(ctx context.Context) (record.Vector, error) {
	var v record.Vector
	rand.Read(v.Salt[:]) // never fails since Go 1.24
	roster := n.Roster()
	if roster == nil {
		return v, nil
	}
	v.RosterVersion = roster.Version
	err := n.db.ReadOne(ctx, func(r *store.Reader) error {
		logs, err := r.Logs()
		for _, l := range logs {
			index, known := roster.IndexOf(l.Hub)
			if !known || l.Head == 0 && l.Hub == n.self {
				continue
			}
			v.Entries = append(v.Entries, record.VectorEntry{
				Index: index, Incarnation: l.Incarnation, Seq: l.Head, Head: record.Salted(v.Salt, l.Hash),
			})
		}
		return err
	})
	v.Trim()
	return v, err
}

// Behind tells whether the other's vector holds something this hub lacks and
// could take: of members of the roster, up to the cuts. Where the two show
// different histories of a log up to the other's head, it may be either that
// lacks something.
func (n *Node) Behind(ctx context.Context, theirs record.Vector) (behind bool, err error) {
	roster := n.Roster()
	if roster == nil {
		return false, nil
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		for _, entry := range theirs.Entries {
			if behind, err = behindOn(r, roster, entry, theirs.Salt); err != nil || behind {
				return err
			}
		}
		return nil
	})
	return behind, err
}

func behindOn(r *store.Reader, roster *territory.Roster, theirs record.VectorEntry, salt [16]byte) (bool, error) {
	author, known := roster.AuthorAt(theirs.Index)
	if !known || theirs.Seq == 0 {
		return false, nil
	}
	log, err := r.Log(record.LogID{Hub: author.ID, Incarnation: theirs.Incarnation})
	if err != nil {
		return false, err
	}
	if theirs.Seq > log.Head {
		if last, bounded := author.Last(theirs.Incarnation); bounded && log.Head >= last {
			return false, nil
		}
		return takesLog(r, log)
	}
	same, err := sameUpTo(r, log, theirs, salt)
	return !same, err
}

// takesLog tells whether records of a log would be kept: it is known, or its
// author has not as many as may be.
func takesLog(r *store.Reader, log store.Log) (bool, error) {
	if log.Head > 0 {
		return true, nil
	}
	others, err := r.CountOtherLogs(log.LogID)
	return others < record.MaxLogs, err
}

// sameUpTo tells whether the other shows of a log what stands here up to its
// head, which is not above ours.
func sameUpTo(r *store.Reader, log store.Log, theirs record.VectorEntry, salt [16]byte) (bool, error) {
	hash := log.Hash
	if theirs.Seq < log.Head {
		var err error
		if hash, err = hashUpTo(r, log, theirs.Seq); err != nil {
			return false, err
		}
	}
	return record.Salted(salt, hash) == theirs.Head, nil
}
