package node

import (
	"context"

	"relais/node/internal/store"
)

// RecordCounts are the records of the territory that this hub holds: signed and
// admitted by the roster, the ones held for want of a predecessor included.
// Another party that holds the same logs counts the same.
type RecordCounts struct {
	Records     int
	Notices     int
	Revocations int
}

// RecordCounts counts what this hub holds, to be compared with the national
// service's counts.
func (n *Node) RecordCounts(ctx context.Context) (c RecordCounts, err error) {
	err = n.db.ReadOne(ctx, func(r *store.Reader) error {
		t, err := r.RecordTotals()
		c = RecordCounts{Records: t.Records, Notices: t.Notices, Revocations: t.Revocations}
		return err
	})
	return c, err
}
