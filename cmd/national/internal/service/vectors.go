package service

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"

	"relais/cmd/national/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// standing is one log as the roster admits it.
type standing struct {
	store.Head
	index uint16
	bound store.Bound
}

// standings returns the logs of the roster's members, by index then incarnation,
// each within its cut.
func (s *Service) standings(ctx context.Context) ([]standing, error) {
	heads, err := s.db.Heads(ctx)
	if err != nil {
		return nil, err
	}
	roster := s.Roster()
	logs := make([]standing, 0, len(heads))
	for _, h := range heads {
		author, known := roster.Author(h.Hub)
		if !known {
			continue
		}
		bound := boundOf(author, h.Incarnation)
		if bound.Seq < int64(h.Seq)+int64(h.Held)+1 {
			if h, err = s.db.HeadWithin(ctx, h, bound); err != nil {
				return nil, err
			}
		}
		logs = append(logs, standing{h, author.Index, bound})
	}
	slices.SortFunc(logs, func(a, b standing) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.Incarnation, b.Incarnation))
	})
	return logs, nil
}

// boundOf is the end of what the roster admits of a log.
func boundOf(a territory.Author, incarnation uint16) store.Bound {
	for _, c := range a.Cuts {
		if c.Incarnation == incarnation {
			return store.Bound{Seq: int64(c.Seq), Hash: c.Hash}
		}
	}
	if a.Expelled {
		return store.Bound{}
	}
	return store.Unbounded
}

// Vector is what the service knows, under a fresh salt.
func (s *Service) Vector(ctx context.Context) (record.Vector, error) {
	logs, err := s.standings(ctx)
	if err != nil {
		return record.Vector{}, err
	}
	v := record.Vector{RosterVersion: s.Roster().Version}
	rand.Read(v.Salt[:])
	for _, l := range logs {
		if l.Seq == 0 {
			continue
		}
		v.Entries = append(v.Entries, record.VectorEntry{
			Index: l.index, Incarnation: l.Incarnation, Seq: l.Seq, Head: record.Salted(v.Salt, l.Hash),
		})
	}
	return v, nil
}

// Missing returns records that the other lacks, in log order, at most maxOctets
// in all, and whether more remain. Where its history is another than ours, the
// page begins with our record at the place it stands at, so that it holds the
// proof.
func (s *Service) Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	logs, err := s.standings(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, l := range logs {
		from, err := s.lacks(ctx, l, theirs)
		if err != nil {
			return nil, false, err
		}
		if from > l.Seq {
			continue
		}
		wires, left, err := s.db.Range(ctx, l.LogID, from, l.Seq, l.bound, maxOctets)
		if err != nil {
			return nil, false, err
		}
		page = append(page, wires...)
		for _, w := range wires {
			maxOctets -= len(w)
		}
		if left {
			return page, true, nil
		}
	}
	return page, false, nil
}

// lacks returns the first place of a log that the other should be sent.
func (s *Service) lacks(ctx context.Context, l standing, theirs record.Vector) (uint32, error) {
	at, known := theirs.Find(l.index, l.Incarnation)
	if !known || at.Seq == 0 {
		return 1, nil
	}
	if at.Seq > l.Seq {
		return l.Seq + 1, nil
	}
	ours, err := s.db.HashesAt(ctx, record.Place{LogID: l.LogID, Seq: at.Seq})
	if err != nil {
		return 0, err
	}
	for _, hash := range ours {
		if record.Salted(theirs.Salt, hash) == at.Head {
			return at.Seq + 1, nil
		}
	}
	return at.Seq, nil
}
