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
	limit *uint32 // the log's cut, when something stands above it
}

// standings returns the logs of the roster's members, by index then incarnation,
// none above its cut.
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
		log := standing{Head: h, index: author.Index}
		if limit, limited := cutOf(author, h.Incarnation); limited && limit < h.Seq+uint32(h.Held) {
			log.limit = &limit
			if log.Seq > limit {
				log.Seq = limit
				if log.Hash, _, err = s.db.HashAt(ctx, record.Place{LogID: h.LogID, Seq: limit}); err != nil {
					return nil, err
				}
			}
		}
		logs = append(logs, log)
	}
	slices.SortFunc(logs, func(a, b standing) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.Incarnation, b.Incarnation))
	})
	return logs, nil
}

// cutOf returns the last place of a log that may count, and whether it has one.
func cutOf(a territory.Author, incarnation uint16) (uint32, bool) {
	for _, c := range a.Cuts {
		if c.Incarnation == incarnation {
			return c.Seq, true
		}
	}
	return 0, a.Expelled
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
		wires, left, err := s.db.Range(ctx, l.LogID, from, l.Seq, maxOctets)
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
	ours := l.Hash
	if at.Seq < l.Seq {
		var err error
		if ours, _, err = s.db.HashAt(ctx, record.Place{LogID: l.LogID, Seq: at.Seq}); err != nil {
			return 0, err
		}
	}
	if record.Salted(theirs.Salt, ours) != at.Head {
		return at.Seq, nil
	}
	return at.Seq + 1, nil
}
