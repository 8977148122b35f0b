package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
)

const (
	// coverPatience is how long publication waits for a counter that answered
	// before and now does not: then a stop is worth more than the proof.
	coverPatience = 5 * time.Second
	// lastCount bounds the counting at the end of a run.
	lastCount = 2 * time.Second
)

// intend writes down, in the transaction that finds what is to be published, that
// the counter will vouch for all there is. It returns what is to be counted, nil
// for nothing. What the counter may not count today is published all the same,
// and vouched for as soon as it may.
func (n *Node) intend(tx *store.Tx, publishing bool) (*intent, error) {
	if n.counter == nil || !n.proof.settled {
		return nil, nil
	}
	c, err := readContinuity(tx.Reader)
	if err != nil {
		return nil, err
	}
	if c.Next != nil { // the counter failed, or the power
		c.Next.older = true
		if tx.Now.Sub(time.UnixMilli(c.Next.Tried)).Abs() < countWindow/2 {
			return c.Next, nil
		}
		c.Next.Tried = tx.Now.UnixMilli()
		return c.Next, c.put(tx)
	}
	if c.due(tx.Now, tx.JournalSize(), publishing) {
		if c.Next, err = n.markHere(tx, c.Value+1); err != nil {
			return nil, err
		}
		c.spend(tx.Now)
		c.Late = false
		return c.Next, c.put(tx)
	}
	if publishing && !c.Late && c.Value != 0 && tx.JournalSize() != c.Reached.Journal {
		c.Late = true
		return nil, c.put(tx)
	}
	return nil, nil
}

// markHere is an intent for how far this hub has come.
func (n *Node) markHere(tx *store.Tx, value uint64) (*intent, error) {
	log, err := n.ownLog(tx.Reader)
	if err != nil {
		return nil, err
	}
	tail, _, err := tx.Tail(log)
	if err != nil {
		return nil, err
	}
	tree := tx.Tree()
	root := tree.Root()
	return &intent{Value: value, First: tx.Now.UnixMilli(), Tried: tx.Now.UnixMilli(), Mark: mark{
		At: tx.Now.UnixMilli(), Journal: tree.Size(), Root: root[:], Incarnation: log.Incarnation, Seq: tail.Seq,
	}}, nil
}

// count raises the counter to what an intent says, and notes that it did. A
// counter that fails delays publication for coverPatience, and then no longer: the
// intent stays, and is tried again. more is that publication must look again what
// the counter vouches for: the intent was an older one's.
func (n *Node) count(ctx context.Context, next *intent) (more bool, err error) {
	if next == nil {
		return false, nil
	}
	count, err := askCounter(ctx, func() (Count, error) { return n.counter.Raise(next.Value) })
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, ErrNoCounter):
		return n.recount(ctx, err)
	case err != nil:
		return false, n.bearWith(ctx, err)
	}
	n.proof.failing = time.Time{}
	if count.Value != next.Value { // somebody else counts here
		n.proof.settled = false
		return false, fmt.Errorf("the counter stands at %d, not at %d", count.Value, next.Value)
	}
	return next.older, n.db.Write(ctx, func(tx *store.Tx) error {
		c, err := readContinuity(tx.Reader)
		if err != nil {
			return err
		}
		c.agree(count)
		return c.put(tx)
	})
}

// bearWith returns the error of a counter for as long as publication waits for it.
func (n *Node) bearWith(ctx context.Context, err error) error {
	if n.proof.failing.IsZero() {
		n.proof.failing = time.Now()
	}
	if time.Since(n.proof.failing) < coverPatience {
		return fmt.Errorf("the counter does not count: %w", err)
	}
	n.log.WarnContext(ctx, "the counter does not count: what is published is not vouched for", "err", err)
	return n.db.Write(ctx, func(tx *store.Tx) error {
		c, err := readContinuity(tx.Reader)
		if err != nil || c.Late {
			return err
		}
		c.Late = true
		return c.put(tx)
	})
}

// recount goes on with another counter when the one there was is removed while
// this hub runs. It casts no doubt on the folder, which was the newest all along.
func (n *Node) recount(ctx context.Context, why error) (more bool, err error) {
	count, err := askCounter(ctx, n.counter.Renew)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil && !errors.Is(err, ErrNoCounter) {
		return false, n.bearWith(ctx, err)
	}
	n.log.WarnContext(ctx, "the counter was removed", "err", why, "another", err == nil)
	return true, n.db.Write(ctx, func(tx *store.Tx) error {
		c, err := readContinuity(tx.Reader)
		if err != nil {
			return err
		}
		before := c.Value
		c.Next = nil
		c.agree(count)
		c.Without = count.Value == 0
		if err := c.put(tx); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindHubCounter, Actor: actorMachine, Subject: n.self.String(), Public: map[string]any{
			"before": before, "counter": count.Value,
		}})
	})
}

// countLast has the counter vouch for the whole run when it ends in good order, so
// that no copy made during it passes for the newest. It waits lastCount at most;
// what it does not do is done by the next run, or found under way.
func (n *Node) countLast(ctx context.Context) {
	if n.counter == nil || !n.proof.settled {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCount)
	defer cancel()
	var err error
	for more := true; more && err == nil; {
		var next *intent
		err = n.db.Write(ctx, func(tx *store.Tx) (err error) { next, err = n.intend(tx, true); return err })
		if err == nil {
			more, err = n.count(ctx, next)
		}
	}
	if err != nil {
		n.log.WarnContext(ctx, "the counter did not count the end of this run", "err", err)
	}
}
