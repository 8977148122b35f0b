package node

import (
	"context"
	"time"

	"relais/node/internal/store"
	"relais/node/record"
)

// Doubt is why this hub doubts its folder; "" when it does not.
func (n *Node) Doubt(ctx context.Context) (why string, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		c, err := readContinuity(r)
		if c.Doubt != nil {
			why = string(c.Doubt.Why)
		}
		return err
	})
	return why, err
}

// Holds tells whether this very record is kept, signed or not.
func (n *Node) Holds(ctx context.Context, p record.Place, h record.Hash) (held bool, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { held, err = r.HasRecord(p, h); return err })
	return held, err
}

// Settle asks the counter, as the signer loop does.
func (n *Node) Settle(ctx context.Context) error { return n.settle(ctx) }

// Sweep is what the signer loop does once a minute.
func (n *Node) Sweep(ctx context.Context) error { _, err := n.signBatch(ctx); return err }

// GrantsDoubtful says whether a doubt forbids grants.
func (n *Node) GrantsDoubtful(ctx context.Context) (err error) {
	return n.db.Read(ctx, func(r *store.Reader) error { return n.grantsDoubtful(r, n.now()) })
}

// HavePatience makes as if the counter had not answered, or not counted, for d.
func (n *Node) HavePatience(d time.Duration) {
	n.proof.asked, n.proof.failing = time.Now().Add(-d), time.Now().Add(-d)
}
