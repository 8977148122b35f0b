package node

import (
	"context"
	"slices"
	"strconv"

	"relais/node/internal/store"
	"relais/node/territory"
)

// cutsOf are where the logs of a hub end, as far as this one knows: the last
// signed record of each that follows on the one before.
func cutsOf(r *store.Reader, hub territory.HubID) (cuts []territory.Cut, err error) {
	logs, err := r.Logs()
	for _, l := range logs {
		if l.Hub == hub && l.Head > 0 {
			cuts = append(cuts, cutOf(l))
		}
	}
	return cuts, err
}

// cutOf is where a log ends. One hash cannot name both histories of a log that
// has two, and a stop may stand last in either: such a log ends one place later,
// where no record has the hash of both.
func cutOf(l store.Log) territory.Cut {
	end := l.Head
	if l.Forked != 0 {
		end++
	}
	return territory.Cut{Incarnation: l.Incarnation, Seq: end, Hash: l.Hash[:]}
}

// latest joins two lists of ends, and takes the later of each log's: what a hub
// was heard to say stays said, whatever an old backup of it remembers.
func latest(a, b []territory.Cut) []territory.Cut {
	joined := slices.Clone(a)
	for _, cut := range b {
		i := slices.IndexFunc(joined, func(c territory.Cut) bool { return c.Incarnation == cut.Incarnation })
		switch {
		case i < 0:
			joined = append(joined, cut)
		case joined[i].Seq < cut.Seq:
			joined[i] = cut
		}
	}
	return joined
}

// endsOf is how the journal tells of cuts: seq and hash, by incarnation.
func endsOf(cuts []territory.Cut) map[string]any {
	ends := map[string]any{}
	for _, c := range cuts {
		ends[strconv.Itoa(int(c.Incarnation))] = []any{c.Seq, c.Hash}
	}
	return ends
}

// Cuts are where the logs of a hub end, as far as this one knows: what an
// expulsion signed elsewhere would say.
func (n *Node) Cuts(ctx context.Context, hub territory.HubID) (cuts []territory.Cut, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		cuts, err = cutsOf(r, hub)
		return err
	})
	return cuts, err
}
