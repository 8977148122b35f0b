package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// Vector is what this hub knows, with a fresh salt. Without a roster it is empty.
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
			if !known || l.Head == 0 {
				continue
			}
			v.Entries = append(v.Entries, record.VectorEntry{
				Index: index, Incarnation: l.Incarnation, Seq: l.Head, Head: record.Salted(v.Salt, l.Hash),
			})
		}
		return err
	})
	slices.SortFunc(v.Entries, func(x, y record.VectorEntry) int {
		return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.Incarnation, y.Incarnation))
	})
	return v, err
}

// Missing returns signed records that the other lacks, in log order, at most
// maxOctets in all, and whether more remain. A log whose head there is not what
// stands here at the same place had two histories: the record at that place comes
// first, for it is half of the proof.
func (n *Node) Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	roster := n.Roster()
	if roster == nil {
		return nil, false, nil
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		logs, err := r.Logs()
		if err != nil {
			return err
		}
		p := &pager{left: maxOctets}
		for _, log := range logs {
			index, known := roster.IndexOf(log.Hub)
			if !known || p.more {
				continue
			}
			entry, _ := theirs.Find(index, log.Incarnation)
			from, err := firstMissing(r, log, entry, theirs.Salt)
			if err != nil {
				return err
			}
			if err := p.fill(r, log, from); err != nil {
				return err
			}
		}
		page, more = p.page, p.more
		return nil
	})
	return page, more, err
}

// firstMissing returns the first seq of a log that the other lacks; above the
// head when it lacks nothing.
func firstMissing(r *store.Reader, log store.Log, theirs record.VectorEntry, salt [16]byte) (uint32, error) {
	if theirs.Seq == 0 || theirs.Seq > log.Head {
		return theirs.Seq + 1, nil
	}
	same, err := sameAt(r, log, theirs, salt)
	if err != nil || same {
		return theirs.Seq + 1, err
	}
	return theirs.Seq, nil
}

// sameAt tells whether the other's head is what stands here at its place.
func sameAt(r *store.Reader, log store.Log, theirs record.VectorEntry, salt [16]byte) (bool, error) {
	if theirs.Seq == log.Head {
		return record.Salted(salt, log.Hash) == theirs.Head, nil
	}
	rows, err := r.RecordsAt(record.Place{LogID: log.LogID, Seq: theirs.Seq})
	return slices.ContainsFunc(rows, func(row store.RecordRow) bool {
		return record.Salted(salt, row.Hash) == theirs.Head
	}), err
}

// pager fills a page of records up to a size.
type pager struct {
	page [][]byte
	left int
	more bool
}

const pageRows = 256 // read from the database at a time

func (p *pager) fill(r *store.Reader, log store.Log, from uint32) error {
	for from <= log.Head && !p.more {
		rows, err := r.RecordsFrom(log.LogID, from, log.Head, pageRows)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			wire := row.Wire()
			if len(wire) > p.left {
				p.more = true
				return nil
			}
			p.left -= len(wire)
			p.page = append(p.page, wire)
			from = row.Seq + 1
		}
	}
	return nil
}

// Behind tells whether the other's vector holds something this hub lacks and
// could take: of members of the roster, up to the cuts.
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
	if !known {
		return false, nil
	}
	log, err := r.Log(record.LogID{Hub: author.ID, Incarnation: theirs.Incarnation})
	if err != nil {
		return false, err
	}
	last, bounded := author.Last(theirs.Incarnation)
	if bounded && log.Head >= last {
		return false, nil
	}
	if theirs.Seq > log.Head {
		return true, nil
	}
	if log.Forked != 0 {
		return false, nil // both histories are a matter for people by now
	}
	same, err := sameAt(r, log, theirs, salt)
	return !same, err
}
