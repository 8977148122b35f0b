package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"relais/node/journal"
)

// The bounds of one commit.
const (
	maxGroup = 64                   // callers
	maxWait  = 2 * time.Millisecond // spent waiting for others, from the first

	checkpointEvery = 250 // commits: of grants, 6,000 pages
)

// The states of a call.
const (
	queued = iota
	taken
	abandoned
)

// call is one caller of Write.
type call struct {
	f     func(*Tx) error
	state atomic.Int32
	err   error
	done  chan struct{}
}

// PanicError is what Write returns when f panicked. Its savepoint was rolled
// back; the others of its group are untouched.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. The stack is not in it.
func (e *PanicError) Error() string { return fmt.Sprintf("panic in a transaction: %v", e.Value) }

// Write runs f in a scope of its own, the transaction or a savepoint in it, and
// returns once the commit is on the disk: nil means it will be there after a
// power cut. An error of f, a panic in it or a change without a journal entry
// undoes that scope alone. When ctx ends before f has begun, f does not run;
// afterwards ctx has no effect.
//
// f runs alone, on the goroutine of the caller who is the writer at that moment:
// this one when nobody else writes, so that it waits for no other to wake. It must
// not wait for a network, a TPM or Argon2, and must not call Write or Read.
func (db *DB) Write(ctx context.Context, f func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{f: f, done: make(chan struct{})}
	db.waiting.Add(1)
	select {
	case db.turn <- struct{}{}:
		defer db.pass()
		db.group(c)
		return c.err
	case db.calls <- c: // the writer takes it along
	case <-ctx.Done():
		db.waiting.Add(-1)
		return ctx.Err()
	case <-db.closing:
		db.waiting.Add(-1)
		return ErrClosed
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
	}
	if c.state.CompareAndSwap(queued, abandoned) {
		return ctx.Err()
	}
	<-c.done
	return c.err
}

// pass ends the writer's turn. When there is something to tidy, the tidier has
// the next: it takes longer than the callers should wait for their answer.
func (db *DB) pass() {
	if db.commits++; db.commits >= checkpointEvery || db.erased {
		select {
		case db.untidy <- struct{}{}:
			return
		case <-db.closing:
		}
	}
	<-db.turn
}

// tidy shortens the write-ahead log in turns of its own.
func (db *DB) tidy() {
	defer close(db.stopped)
	for {
		select {
		case <-db.untidy:
			db.shorten()
			db.scrub()
			<-db.turn
		case <-db.closing:
			return
		}
	}
}

// group runs the first caller and those who come meanwhile, commits once, and
// tells them all.
func (db *DB) group(first *call) {
	tree := db.tree.Clone()
	done, err := db.gather(first)
	if err == nil {
		err = db.exec("COMMIT")
	}
	if err != nil {
		_ = db.exec("ROLLBACK") // SQLite may have rolled back by itself
		db.takeBack(0)
		db.tree = tree
		db.rule.reset()
	}
	db.undo = db.undo[:0]
	db.crowd = len(done)
	for _, c := range done {
		if err != nil && c.err == nil {
			c.err = failed(err)
		}
		close(c.done)
	}
}

// shorten moves the write-ahead log into the database from time to time, after
// the callers have their answer: SQLite would do it inside a COMMIT, and one
// caller in many would wait for two more syncs.
func (db *DB) shorten() {
	if db.commits < checkpointEvery {
		return
	}
	db.commits = 0
	if err := db.exec("PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		db.log.Warn("the write-ahead log was not moved into the database", "err", err)
	}
}

// gather runs callers until nobody else is on the way, the group is full, or the
// first has waited long enough. An error is one of the whole transaction.
func (db *DB) gather(first *call) (done []*call, err error) {
	if err := db.exec("BEGIN IMMEDIATE"); err != nil {
		db.waiting.Add(-1)
		first.state.Store(taken)
		return []*call{first}, err
	}
	end := time.Now().Add(maxWait)
	for c := first; c != nil; c = db.next(len(done), end) {
		db.waiting.Add(-1)
		if !c.state.CompareAndSwap(queued, taken) {
			continue // its caller has gone
		}
		apart := nested
		if len(done) == 0 {
			apart = whole
		}
		done = append(done, c)
		if c.err = db.run(apart, c.f); c.err != nil && db.raw.AutoCommit() {
			err, c.err = c.err, nil
			return done, err // a full disk or an I/O error undid the whole transaction
		}
		c.err = said(c.err)
	}
	return done, nil
}

// next returns another caller for this group, or nil to commit now. It waits for
// those who are on their way, and for as many as came last time: who writes one
// thing after another is about to come back. So a crowd stays together, somebody
// alone waits for nobody, and the last of a crowd waits once.
func (db *DB) next(have int, end time.Time) *call {
	if have >= maxGroup {
		return nil
	}
	select {
	case c := <-db.calls: // here already: one sync for both, however long the others took
		return c
	default:
	}
	if db.waiting.Load() == 0 && have >= db.crowd {
		return nil
	}
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case c := <-db.calls:
		return c
	case <-timer.C:
		return nil
	}
}

// A scope keeps one caller's work apart from the others', so that its failure is
// its own.
type scope struct {
	begin, keep string // "" is nothing to do
	undo        [2]string
}

var (
	// nested is a savepoint.
	nested = scope{"SAVEPOINT caller", "RELEASE caller", [2]string{"ROLLBACK TO caller", "RELEASE caller"}}
	// whole is the transaction itself, for its first caller: there is nobody
	// else's work to keep yet, and a savepoint costs a copy of each page touched.
	whole = scope{undo: [2]string{"ROLLBACK", "BEGIN IMMEDIATE"}}
)

// run runs one caller in its scope.
func (db *DB) run(apart scope, f func(*Tx) error) error {
	if err := db.exec(apart.begin); err != nil {
		return err
	}
	tree, shown := db.tree.Clone(), len(db.undo)
	db.rule.reset()
	tx := &Tx{Reader: &Reader{db.writer}, Now: db.now().UTC().Truncate(time.Millisecond), db: db}
	err := attempt(tx, f)
	if err == nil {
		err = db.rule.check()
	}
	if err == nil {
		err = db.exec(apart.keep)
	}
	db.rule.reset()
	if err == nil {
		return nil
	}
	db.tree = tree
	db.takeBack(shown)
	if db.raw.AutoCommit() {
		return err
	}
	return errors.Join(err, db.exec(apart.undo[0]), db.exec(apart.undo[1]))
}

// takeBack undoes, the latest first, what was shown since there were so many.
func (db *DB) takeBack(from int) {
	for len(db.undo) > from {
		last := len(db.undo) - 1
		undo := db.undo[last]
		db.undo = db.undo[:last]
		undo()
	}
}

// attempt calls f and turns a panic into an error.
func attempt(tx *Tx, f func(*Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
			tx.db.log.Error("panic in a transaction", "stack", string(debug.Stack()))
		}
	}()
	return f(tx)
}

func (db *DB) exec(text string) error {
	if text == "" {
		return nil
	}
	_, err := db.writer.ExecContext(context.Background(), text)
	return err
}

// Read runs f on one snapshot of the database, from the read-only pool. f must
// not call Write or Read.
func (db *DB) Read(ctx context.Context, f func(*Reader) error) error {
	return db.read(ctx, func(r *Reader) error {
		if _, err := r.conn.ExecContext(context.Background(), "BEGIN"); err != nil {
			return err
		}
		defer r.conn.ExecContext(context.Background(), "ROLLBACK") // nothing was written
		return f(r)
	})
}

// ReadOne is Read for a single statement, which is a snapshot by itself: it
// spares two round trips to SQLite.
func (db *DB) ReadOne(ctx context.Context, f func(*Reader) error) error { return db.read(ctx, f) }

func (db *DB) read(ctx context.Context, f func(*Reader) error) error {
	select {
	case <-db.closing:
		return ErrClosed
	default:
	}
	conn, err := db.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return f(&Reader{conn})
}

// Tree is the journal's tree as this transaction sees it.
func (tx *Tx) Tree() journal.Tree { return tx.db.tree.Clone() }
