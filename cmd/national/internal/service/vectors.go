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
		if h.Held > 0 && bound.Seq != store.Unbounded.Seq || bound.Seq <= int64(h.Seq) {
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
		v.Entries = append(v.Entries, record.VectorEntry{
			Index: l.index, Incarnation: l.Incarnation, Seq: l.Seq, Head: record.Salted(v.Salt, l.Hash),
		})
	}
	v.Trim()
	return v, nil
}
