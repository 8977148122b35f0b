package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"relais/node/record"
)

// maxHeld is how many records of one log may wait for a predecessor.
const maxHeld = 1024

// Row is a verified record on its way in.
type Row struct {
	record.Place
	Kind record.Kind
	Prev [16]byte
	Hash record.Hash
	Wire []byte
}

// Applied counts what Append did with a batch.
type Applied struct {
	New       int // stored for the first time
	Known     int // already here
	Held      int // of the new: those waiting for their predecessors
	Postponed int // not stored: too many of their log wait already
	Forks     int // logs found to have two histories
}

// Append stores a batch in one transaction. It never fails for what a record
// says: a second record at one place is kept as the proof of a fork.
//
// What decides is read at once for a whole page, since the database may be a
// network away and the others wait.
func (db *DB) Append(ctx context.Context, rows []Row, now time.Time) (Applied, error) {
	var order []record.LogID
	byLog := map[record.LogID][]Row{}
	for _, r := range rows {
		if byLog[r.LogID] == nil {
			order = append(order, r.LogID)
		}
		byLog[r.LogID] = append(byLog[r.LogID], r)
	}
	var done Applied
	err := db.inWrite(ctx, func(tx session) error {
		b := &batch{ctx: ctx, tx: tx, now: now.UnixMilli()}
		for _, id := range order {
			if err := b.add(id, byLog[id]); err != nil {
				return err
			}
		}
		done = b.done
		return nil
	})
	if err != nil {
		return Applied{}, err
	}
	return done, nil
}

// batch is one transaction of Append.
type batch struct {
	ctx  context.Context
	tx   session
	now  int64 // Unix ms
	done Applied
}

// openLog is a log's line while records are being added to it.
type openLog struct {
	id                            int64 // 0: no line yet
	seq                           uint32
	head                          []byte
	held                          int
	records, notices, revocations int
	forkedAt                      sql.NullInt64
	here                          map[uint32][]record.Variant // what may matter of what is stored, the fresh ones included
	fresh                         []Row
}

// add stores what is new of one log's records.
func (b *batch) add(id record.LogID, rows []Row) error {
	l, err := b.open(id)
	if err != nil {
		return err
	}
	if l.id == 0 {
		if created, err := b.create(l, id); err != nil || !created {
			b.done.Postponed += len(rows)
			return err
		}
	}
	if err := b.load(l, rows); err != nil {
		return err
	}
	for _, r := range rows {
		b.take(l, r)
	}
	if len(l.fresh) == 0 {
		return nil
	}
	if err := b.insert(l); err != nil {
		return err
	}
	return b.save(l)
}

func (b *batch) open(id record.LogID) (*openLog, error) {
	l := &openLog{head: make([]byte, len(record.Hash{})), here: map[uint32][]record.Variant{}}
	err := b.tx.one(b.ctx, []any{&l.id, &l.seq, &l.head, &l.held, &l.records, &l.notices, &l.revocations, &l.forkedAt}, `
		SELECT id, seq, head, held, records, notices, revocations, forked_at FROM logs
		WHERE hub = $1 AND incarnation = $2`, id.Hub[:], id.Incarnation)
	if errors.Is(err, sql.ErrNoRows) {
		return l, nil
	}
	return l, err
}

// create begins a log, unless it is one too many of its author.
func (b *batch) create(l *openLog, id record.LogID) (bool, error) {
	var others int
	err := b.tx.one(b.ctx, []any{&others}, `SELECT count(*) FROM logs WHERE hub = $1 AND records > 0`, id.Hub[:])
	if err != nil || others >= record.MaxLogs {
		return false, err
	}
	err = b.tx.one(b.ctx, []any{&l.id}, `INSERT INTO logs (hub, incarnation) VALUES ($1, $2) RETURNING id`,
		id.Hub[:], id.Incarnation)
	return err == nil, err
}

// load reads what stands at the places of the rows and beside them, and what
// waits for a predecessor.
func (b *batch) load(l *openLog, rows []Row) error {
	if l.records == 0 {
		return nil
	}
	places := make([]uint32, len(rows))
	for i, r := range rows {
		places[i] = r.Seq
	}
	slices.Sort(places)
	for len(places) > 0 {
		end := 1
		for end < len(places) && places[end]-places[end-1] <= 2 {
			end++
		}
		if err := b.loadRange(l, int64(places[0])-1, int64(places[end-1])+1); err != nil {
			return err
		}
		places = places[end:]
	}
	if l.held > 0 {
		return b.loadRange(l, int64(l.seq)+1, math.MaxUint32)
	}
	return nil
}

func (b *batch) loadRange(l *openLog, from, to int64) error {
	return b.tx.each(b.ctx, func(rows *sql.Rows) error {
		v, err := scanVariant(rows)
		if err == nil && !l.has(v.Seq, v.Hash) {
			l.here[v.Seq] = append(l.here[v.Seq], v)
		}
		return err
	}, `SELECT seq, hash, prev FROM records WHERE log = $1 AND seq BETWEEN $2 AND $3`, l.id, from, to)
}

func (l *openLog) has(seq uint32, hash record.Hash) bool {
	return slices.ContainsFunc(l.here[seq], func(v record.Variant) bool { return v.Hash == hash })
}

// take decides about one record.
func (b *batch) take(l *openLog, r Row) {
	switch {
	case l.has(r.Seq, r.Hash):
		b.done.Known++
		return
	case r.Seq > l.seq+1 && l.held >= maxHeld:
		b.done.Postponed++
		return
	}
	b.done.New++
	b.checkFork(l, r)
	l.here[r.Seq] = append(l.here[r.Seq], record.Variant{Seq: r.Seq, Hash: r.Hash, Prev: r.Prev})
	l.fresh = append(l.fresh, r)
	l.records++
	switch r.Kind {
	case record.KindNotice:
		l.notices++
	case record.KindRevocation:
		l.revocations++
	}
	if r.Seq > l.seq {
		l.held++
		l.advance()
	}
}

// checkFork compares a new record with what stands at its place and beside it.
// Two records at one place, or a link that does not hold, mean that the log had
// two histories from there.
func (b *batch) checkFork(l *openLog, r Row) {
	if len(l.here[r.Seq]) > 0 {
		b.fork(l, r.Seq)
	}
	for _, v := range l.here[r.Seq+1] {
		if !bytes.Equal(v.Prev[:], r.Hash[:16]) {
			b.fork(l, r.Seq)
		}
	}
	for _, v := range l.here[r.Seq-1] {
		if !bytes.Equal(r.Prev[:], v.Hash[:16]) {
			b.fork(l, v.Seq)
		}
	}
}

func (b *batch) fork(l *openLog, seq uint32) {
	if !l.forkedAt.Valid {
		b.done.Forks++
	} else if l.forkedAt.Int64 <= int64(seq) {
		return
	}
	l.forkedAt = sql.NullInt64{Int64: int64(seq), Valid: true}
}

// advance moves the end of a log over what now follows without a gap.
func (l *openLog) advance() {
	for {
		next := l.here[l.seq+1]
		if len(next) == 0 {
			return
		}
		first := slices.MinFunc(next, func(v, w record.Variant) int { return bytes.Compare(v.Hash[:], w.Hash[:]) })
		l.seq, l.head, l.held = l.seq+1, first.Hash[:], l.held-len(next)
	}
}

// insertSizes are how many records one statement stores, the most first: few
// statements, of few forms, which the database prepares once.
var insertSizes = []int{64, 8, 1}

// insert stores the fresh records of a log.
func (b *batch) insert(l *openLog) error {
	rest := l.fresh
	for _, size := range insertSizes {
		for ; len(rest) >= size; rest = rest[size:] {
			args := make([]any, 0, 7*size)
			for _, r := range rest[:size] {
				args = append(args, l.id, r.Seq, r.Hash[:], r.Prev[:], r.Kind, r.Wire, b.now)
			}
			if _, err := b.tx.exec(b.ctx, insertRecords(size), args...); err != nil {
				return err
			}
		}
	}
	return nil
}

func insertRecords(n int) string {
	s := []byte(`INSERT INTO records (log, seq, hash, prev, kind, wire, received_at) VALUES`)
	for i := range n {
		if i > 0 {
			s = append(s, ',')
		}
		k := 7 * i
		s = fmt.Appendf(s, ` ($%d, $%d, $%d, $%d, $%d, $%d, $%d)`, k+1, k+2, k+3, k+4, k+5, k+6, k+7)
	}
	return string(s)
}

func (b *batch) save(l *openLog) error {
	for _, r := range l.fresh {
		if r.Seq > l.seq {
			b.done.Held++
		}
	}
	if err := b.rehash(l); err != nil {
		return err
	}
	_, err := b.tx.exec(b.ctx, `
		UPDATE logs SET seq = $1, head = $2, held = $3, records = $4, notices = $5, revocations = $6, forked_at = $7
		WHERE id = $8`,
		l.seq, l.head, l.held, l.records, l.notices, l.revocations, l.forkedAt, l.id)
	return err
}

// rehash finds the hash again of a log with two histories: it is over all their
// variants.
func (b *batch) rehash(l *openLog) error {
	if !l.forkedAt.Valid || l.forkedAt.Int64 > int64(l.seq) {
		return nil
	}
	hash, err := b.tx.logHash(b.ctx, `
		SELECT seq, hash, prev FROM records WHERE log = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq, hash`,
		l.id, l.forkedAt.Int64, l.seq)
	l.head = hash[:]
	return err
}
