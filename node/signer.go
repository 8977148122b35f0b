package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

// The bounds of the signer loop.
const (
	maxSignBatch  = 64                     // records a transaction
	signBatchTime = 20 * time.Millisecond  // after which what is signed is published
	signRetry     = 100 * time.Millisecond // after a first failure; then twice as long
	maxSignRetry  = 30 * time.Second
	signSweep     = time.Minute // looks for unsigned records even when nobody woke it
)

// publishing is what the signer loop and its subscribers share.
type publishing struct {
	subscribers []func(wire []byte, from territory.HubID) // filled while wiring, before Run
	wake        chan struct{}                             // of one: set before Run

	opened int64 // the last record's number when the node opened: set by Open

	mu     sync.Mutex
	last   time.Time                          // of this hub's last record; guarded by mu
	clocks map[territory.HubID]clockDeviation // guarded by mu
}

func (n *Node) openPublishing(ctx context.Context) error {
	p := &n.publishing
	p.wake = make(chan struct{}, 1)
	p.clocks = map[territory.HubID]clockDeviation{}
	return n.db.Read(ctx, func(r *store.Reader) error {
		log, err := n.ownLog(r)
		if err != nil {
			return err
		}
		tail, _, err := r.Tail(log)
		if err != nil {
			return err
		}
		p.last = tail.Time
		if p.opened, err = r.LastRecord(); err != nil {
			return err
		}
		c, err := readContinuity(r)
		n.doubted.Store(c.Doubt != nil)
		return err
	})
}

// wakeSigner tells the loop that there is something to sign. It never waits.
func (n *Node) wakeSigner() {
	select {
	case n.publishing.wake <- struct{}{}:
	default:
	}
}

// tell hands a signed record to the subscribers.
func (n *Node) tell(wire []byte, from territory.HubID) {
	for _, f := range n.publishing.subscribers {
		f(wire, from)
	}
}

// publish is the signer loop: it signs what the changes left unsigned, in log
// order, and hands it over. A slow or failing key delays publication and nothing
// else; the loop tries again, later and later, and ends with ctx. Before anything
// is signed, the counter vouches for it.
func (n *Node) publish(ctx context.Context) error {
	defer n.countLast(ctx)
	retry := signRetry
	for ctx.Err() == nil {
		wait := signSweep
		more, err := n.signBatch(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			n.log.WarnContext(ctx, "records wait for their signature", "err", err, "retry", retry)
			n.pause(ctx, retry)
			retry = min(2*retry, maxSignRetry)
			continue
		case more:
			wait = 0
		}
		retry = signRetry
		if wait > 0 {
			n.sleep(ctx, wait)
		}
	}
	return nil
}

// sleep waits until there is something to sign.
func (n *Node) sleep(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-n.publishing.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// pause waits whatever comes: a key that fails is left alone for a while.
func (n *Node) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// signed is an unsigned row with its signature.
type signed struct {
	row       store.RecordRow
	signature [64]byte
}

// signBatch signs the first records that wait, stores their signatures in one
// transaction and hands them over. What was signed before a failure is published.
func (n *Node) signBatch(ctx context.Context) (more bool, err error) {
	if err := n.settle(ctx); err != nil {
		return false, err
	}
	rows, next, err := n.unsigned(ctx)
	if err != nil {
		return false, err
	}
	if more, err := n.count(ctx, next); more || err != nil {
		return more && err == nil, err
	}
	if len(rows) == 0 {
		return false, nil
	}
	batch, signErr := n.signRows(ctx, rows)
	if len(batch) > 0 {
		if err := n.storeSignatures(ctx, batch); err != nil {
			return false, err
		}
		for _, s := range batch {
			n.tell(record.Assemble(s.row.Hub, s.row.Payload, s.signature), territory.HubID{})
		}
	}
	return true, signErr
}

// unsigned reads through the writer: behind the transaction that woke the loop,
// and acknowledged only once that one is on the disk. What the counter must reach
// first is written with it.
func (n *Node) unsigned(ctx context.Context) (rows []store.RecordRow, next *intent, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if err := n.reissue(tx); err != nil {
			return err
		}
		if rows, err = tx.UnsignedRecords(n.self, maxSignBatch); err != nil {
			return err
		}
		next, err = n.intend(tx, len(rows) > 0)
		return err
	})
	return rows, next, err
}

func (n *Node) signRows(ctx context.Context, rows []store.RecordRow) (batch []signed, err error) {
	begun := time.Now()
	for _, row := range rows {
		signature, err := n.signOne(ctx, row)
		if err != nil {
			return batch, fmt.Errorf("record %d: %w", row.Seq, err)
		}
		batch = append(batch, signed{row, signature})
		if time.Since(begun) > signBatchTime {
			break
		}
	}
	return batch, nil
}

// signOne asks the key, which may hang: the loop leaves it behind when ctx ends.
func (n *Node) signOne(ctx context.Context, row store.RecordRow) (signature [64]byte, err error) {
	type answer struct {
		signature [64]byte
		err       error
	}
	answers := make(chan answer, 1)
	go func() {
		signature, err := record.Sign(n.signer, n.birth.Territory, n.self, row.Payload)
		answers <- answer{signature, err}
	}()
	select {
	case a := <-answers:
		return a.signature, a.err
	case <-ctx.Done():
		return signature, ctx.Err()
	}
}

func (n *Node) storeSignatures(ctx context.Context, batch []signed) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		a := n.absorbing(tx, n.Roster())
		for _, s := range batch {
			if err := tx.SignRecord(s.row.ID, s.signature); err != nil {
				return err
			}
			log, err := a.log(s.row.LogID)
			if err != nil {
				return err
			}
			if s.row.Seq == log.Head+1 {
				log.Head, log.Hash = s.row.Seq, s.row.Hash
			}
		}
		return n.advanceOwn(tx, a)
	})
}

// advanceOwn writes how far this hub's logs are signed. When the machine went
// back in time, records that it no longer knew may have waited for the one just
// signed, or stand beside it: they are heard now, and the log has another hash.
func (n *Node) advanceOwn(tx *store.Tx, a *absorption) error {
	heard := uint32(0)
	for _, log := range a.logs {
		head := log.Head
		if err := a.advance(log); err != nil {
			return err
		}
		heard += log.Head - head
		a.forked[log.LogID] = log.Forked != 0
		if err := tx.PutLog(*log); err != nil {
			return err
		}
	}
	if err := a.finish(); err != nil || heard == 0 {
		return err
	}
	return n.note(tx, entry{Kind: journal.KindRecordsApply, Actor: actorMachine, Public: map[string]any{"heard": heard}})
}
