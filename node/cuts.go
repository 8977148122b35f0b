package node

import (
	"context"
	"strconv"

	"relais/node/internal/store"
	"relais/node/territory"
)

// cutsOf are where the logs of a hub end, as far as this one knows: the last
// signed record of each that follows on the one before. Of a log with two
// histories, either end will do: what is below the last place counts whichever
// of the two it is.
func cutsOf(r *store.Reader, hub territory.HubID) (cuts []territory.Cut, err error) {
	logs, err := r.Logs()
	for _, l := range logs {
		if l.Hub == hub && l.Head > 0 {
			cuts = append(cuts, territory.Cut{Incarnation: l.Incarnation, Seq: l.Head, Hash: l.Hash[:]})
		}
	}
	return cuts, err
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
