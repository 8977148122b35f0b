package node

import "context"

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
func (n *Node) RecordCounts(ctx context.Context) (RecordCounts, error) { panic("stub") }
