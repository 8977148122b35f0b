package service

import (
	"context"
	"encoding/binary"

	"relais/cmd/national/internal/store"
	"relais/node/record"
)

// Missing returns records that the other lacks, at most maxOctets in all, and
// whether more remain, as a hub does: logs in order; then what it may lack of
// logs of which it shows another history; then revocations that wait here for a
// predecessor. node/record/DESIGN.md says why it comes to an end.
func (s *Service) Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	logs, err := s.standings(ctx)
	if err != nil {
		return nil, false, err
	}
	p := &pager{ctx: ctx, db: s.db, left: maxOctets, whole: maxOctets, salt: theirs.Salt}
	err = p.missing(logs, theirs)
	return p.page, p.more, err
}

// pager fills a page of records up to a size.
type pager struct {
	ctx   context.Context
	db    *store.DB
	page  [][]byte
	left  int // octets
	whole int // octets, of a page with nothing in it
	more  bool
	salt  [16]byte // fresh in each question: what is chosen by it differs each time
}

func (p *pager) missing(logs []standing, theirs record.Vector) error {
	var differ []standing
	for _, l := range logs {
		if theirs.Full(l.index, l.Incarnation) {
			continue
		}
		at, _ := theirs.Find(l.index, l.Incarnation)
		switch same, err := p.same(l, at); {
		case err != nil:
			return err
		case !same:
			differ = append(differ, l)
			continue
		}
		if next, err := p.fill(l, at.Seq+1, p.left); err != nil || next <= l.Seq {
			p.more = true
			return err
		}
	}
	for i := range differ { // another first each time, for the last may find no room
		l := differ[(i+int(p.salt[0]))%len(differ)]
		at, _ := theirs.Find(l.index, l.Incarnation)
		if err := p.offer(l, at); err != nil {
			return err
		}
	}
	return p.held(logs, theirs)
}

// same tells whether the other shows of a log what stands here up to its head,
// or has more of one that did not fork here.
func (p *pager) same(l standing, theirs record.VectorEntry) (bool, error) {
	switch {
	case theirs.Seq == 0:
		return true, nil
	case theirs.Seq > l.Seq:
		return l.ForkedAt == 0 || l.ForkedAt > l.Seq, nil
	}
	hash, err := p.db.HashUpTo(p.ctx, l.Head, theirs.Seq, l.bound)
	return record.Salted(p.salt, hash) == theirs.Head, err
}

// fill adds what a log holds from a place on, within a budget of octets, and
// returns the first place that it left out.
func (p *pager) fill(l standing, from uint32, budget int) (next uint32, err error) {
	if from > l.Seq {
		return from, nil
	}
	wires, next, err := p.db.Range(p.ctx, l.LogID, from, l.Seq, l.bound, budget)
	for _, w := range wires {
		p.left -= len(w)
	}
	p.page = append(p.page, wires...)
	return next, err
}

// offer adds a log of which the other shows another history: from a little below
// the lowest place where they may differ. When that does not fit, half of the
// page goes on from there, and the other half begins elsewhere each time.
func (p *pager) offer(l standing, theirs record.VectorEntry) error {
	from := min(theirs.Seq, l.Seq)
	if l.ForkedAt != 0 {
		from = min(from, l.ForkedAt)
	}
	from -= min(from-1, uint32(p.whole/record.MaxOctets/8))
	begun, left := len(p.page), p.left
	next, err := p.fill(l, from, left)
	if err != nil || next > l.Seq {
		return err
	}
	p.page, p.left, p.more = p.page[:begun], left, true
	if next, err = p.fill(l, from, left/2); err != nil || next > l.Seq {
		return err
	}
	switch p.salt[15] % 3 {
	case 0:
		next += uint32(binary.BigEndian.Uint64(p.salt[:8]) % uint64(l.Seq-next+1))
	case 1:
		next = max(next, min(theirs.Seq, l.Seq))
	}
	_, err = p.fill(l, next, p.left)
	return err
}

// maxHeldOffered is the most held revocations of one log that are handed on.
// They come again at each meeting, until what they wait for is found.
const maxHeldOffered = 64

// held adds revocations that wait here for a predecessor: they count wherever
// they stand.
func (p *pager) held(logs []standing, theirs record.Vector) error {
	for _, l := range logs {
		if l.Held == 0 || theirs.Full(l.index, l.Incarnation) {
			continue
		}
		at, _ := theirs.Find(l.index, l.Incarnation)
		wires, err := p.db.HeldRevocations(p.ctx, l.Head, max(at.Seq, l.Seq), l.bound, maxHeldOffered)
		if err != nil {
			return err
		}
		for _, w := range wires {
			if len(w) > p.left {
				return nil
			}
			p.left -= len(w)
			p.page = append(p.page, w)
		}
	}
	return nil
}
