package node

import (
	"context"
	"encoding/binary"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// Missing returns signed records that the other lacks, at most maxOctets in all,
// and whether more remain: logs in order, all variants of a place together; then
// what it may lack of logs of which it shows another history; then revocations
// that wait here for a predecessor, and may wait there too.
//
// Of a log with another history nobody can tell which variants the other holds.
// It is sent all from the fork on, and where a page does not hold that, another
// part each time (see offer): the two ask each other in turn, and whoever lacks
// something at the lowest place where they differ is sent it.
func (n *Node) Missing(ctx context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	roster := n.Roster()
	if roster == nil {
		return nil, false, nil
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		p := &pager{r: r, left: maxOctets, whole: maxOctets, salt: theirs.Salt}
		if err := p.missing(roster, theirs); err != nil {
			return err
		}
		page, more = p.page, p.more
		return nil
	})
	return page, more, err
}

// pager fills a page of records up to a size.
type pager struct {
	r     *store.Reader
	page  [][]byte
	left  int // octets
	whole int // octets, of a page with nothing in it
	more  bool
	salt  [16]byte // fresh in each question: what is chosen by it differs each time
}

// differing is a log of which the other shows another history.
type differing struct {
	log    store.Log
	theirs record.VectorEntry
}

func (p *pager) missing(roster *territory.Roster, theirs record.Vector) error {
	logs, err := p.r.Logs()
	if err != nil {
		return err
	}
	var differ []differing
	for _, log := range logs {
		index, known := roster.IndexOf(log.Hub)
		if !known || theirs.Full(index, log.Incarnation) {
			continue
		}
		entry, _ := theirs.Find(index, log.Incarnation)
		ahead := entry.Seq > log.Head
		if ahead && (log.Forked == 0 || log.Forked > log.Head) {
			continue // it has more, and if that is another history we shall ask for it
		}
		same := entry.Seq == 0
		if !same && !ahead {
			if same, err = sameUpTo(p.r, log, entry, theirs.Salt); err != nil {
				return err
			}
		}
		if !same {
			differ = append(differ, differing{log, entry})
			continue
		}
		if next, err := p.fill(log, entry.Seq+1, p.left); err != nil || next <= log.Head {
			p.more = true
			return err
		}
	}
	for i := range differ { // another first each time, for the last may find no room
		d := differ[(i+int(p.salt[0]))%len(differ)]
		if err := p.offer(d.log, d.theirs); err != nil {
			return err
		}
	}
	return p.held(roster, theirs)
}

// minRecordOctets is the least that a record takes on the wire.
const minRecordOctets = 117

// fill adds what a log holds from a place on, within a budget of octets, and
// returns the first place that it left out. The variants of a place stay
// together; where they alone exceed a page, some are chosen.
func (p *pager) fill(log store.Log, from uint32, budget int) (next uint32, err error) {
	if from > log.Head {
		return from, nil
	}
	rows, err := p.r.RecordsFrom(log.LogID, from, log.Head, budget/minRecordOctets+2)
	if err != nil {
		return from, err
	}
	for len(rows) > 0 {
		n := variantsAt(rows)
		size := 0
		for _, row := range rows[:n] {
			size += len(row.Wire())
		}
		if size > p.whole {
			return rows[0].Seq + 1, p.some(rows[0].Place, budget)
		}
		if size > budget {
			return rows[0].Seq, nil
		}
		for _, row := range rows[:n] {
			budget -= p.add(row)
		}
		rows = rows[n:]
	}
	return log.Head + 1, nil
}

// variantsAt counts the rows at the place of the first.
func variantsAt(rows []store.RecordRow) int {
	n := 1
	for n < len(rows) && rows[n].Seq == rows[0].Seq {
		n++
	}
	return n
}

// add puts one record into the page and returns its size.
func (p *pager) add(row store.RecordRow) int {
	wire := row.Wire()
	p.left -= len(wire)
	p.page = append(p.page, wire)
	return len(wire)
}

// some adds as many variants of a place as fit, beginning anywhere.
func (p *pager) some(at record.Place, budget int) error {
	p.more = true
	rows, err := p.r.SomeAt(at, p.pick, budget/minRecordOctets+1)
	for _, row := range rows {
		if len(row.Wire()) > budget {
			break
		}
		budget -= p.add(row)
	}
	return err
}

// pick chooses a number below n by the salt.
func (p *pager) pick(n int) int { return int(binary.BigEndian.Uint64(p.salt[:8]) % uint64(max(n, 1))) }

// offer adds a log of which the other shows another history: from a little below
// the lowest place where they may differ, for the fork may be deeper than it is
// known here. When that does not fit, half of the page goes on from there, and
// the other half begins with what the other lacks if it only lags behind, or
// anywhere.
func (p *pager) offer(log store.Log, theirs record.VectorEntry) error {
	from := min(theirs.Seq, log.Head)
	if log.Forked != 0 {
		from = min(from, log.Forked)
	}
	from -= min(from-1, uint32(p.whole/record.MaxOctets/8))
	begun, left := len(p.page), p.left
	next, err := p.fill(log, from, p.left)
	if err != nil || next > log.Head {
		return err
	}
	p.page, p.left, p.more = p.page[:begun], left, true
	if next, err = p.fill(log, from, left/2); err != nil || next > log.Head {
		return err
	}
	switch at := next + uint32(p.pick(int(log.Head-next)+1)); p.salt[15] % 3 {
	case 0:
		next = at
	case 1:
		next = max(next, min(theirs.Seq, log.Head))
	}
	_, err = p.fill(log, next, p.left)
	return err
}

// The most held revocations that are looked through and handed on. They come
// again at each meeting, until what they wait for is found.
const (
	maxHeldRows    = 4096
	maxHeldOffered = 64
)

// held adds revocations that wait here for a predecessor. They say what they say
// wherever they stand, and the one who could hand over the predecessor may be
// asleep for days.
func (p *pager) held(roster *territory.Roster, theirs record.Vector) error {
	rows, err := p.r.HeldRevocations(maxHeldRows)
	if err != nil || len(rows) == 0 {
		return err
	}
	begin := p.pick(len(rows))
	for i, offered := 0, 0; i < len(rows) && offered < maxHeldOffered; i++ {
		row := rows[(begin+i)%len(rows)]
		index, known := roster.IndexOf(row.Hub)
		if !known || theirs.Full(index, row.Incarnation) {
			continue
		}
		if entry, _ := theirs.Find(index, row.Incarnation); row.Seq <= entry.Seq {
			continue
		}
		if len(row.Wire()) > p.left {
			return nil
		}
		p.add(row)
		offered++
	}
	return nil
}
