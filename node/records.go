package node

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

// maxApply bounds one batch: above, Apply splits it, so that nobody waits long
// for the writer.
const maxApply = 512

// Applied counts what a batch did.
type Applied struct {
	New     int // stored for the first time, held ones included
	Known   int // already here
	Refused int // bad signature, unknown or expelled author, wrong territory, not a record
	Held    int // out of order: of the new ones, those waiting for their predecessors
	// Postponed were good and not kept, because too many of their log wait for a
	// predecessor already: the exchange brings them again, in order.
	Postponed int
}

func (a *Applied) add(o Applied) {
	a.New += o.New
	a.Known += o.Known
	a.Refused += o.Refused
	a.Held += o.Held
	a.Postponed += o.Postponed
}

// OnRecord calls f with each record that is new here and signed: made here, or
// applied from elsewhere (from is then not zero). f must not block, and may be
// called from several goroutines at once. For wiring, before Run.
func (n *Node) OnRecord(f func(wire []byte, from territory.HubID)) {
	n.publishing.subscribers = append(n.publishing.subscribers, f)
}

// Apply takes records from another hub or from the national service: verifies
// each, stores the good ones in one transaction with one journal entry, and
// tells subscribers of the new. A bad one never spoils the others. from is the
// peer that handed them over. Without a roster nothing can be verified, and
// everything is refused.
func (n *Node) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (Applied, error) {
	var total Applied
	for batch := range slices.Chunk(wires, maxApply) {
		applied, err := n.applyBatch(ctx, batch, from)
		total.add(applied)
		if err != nil {
			return total, fmt.Errorf("apply records from %s: %w", from, err)
		}
	}
	return total, nil
}

func (n *Node) applyBatch(ctx context.Context, wires [][]byte, from territory.HubID) (Applied, error) {
	roster := n.Roster()
	if roster == nil {
		return Applied{Refused: len(wires)}, nil
	}
	batch, applied, err := n.verify(ctx, wires, roster)
	if err != nil || len(batch) == 0 {
		return applied, err
	}
	var stored []*record.Envelope
	var outcome Applied
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		stored, outcome, err = n.absorb(tx, batch, from)
		return err
	})
	if err != nil {
		return applied, err
	}
	applied.add(outcome)
	for _, e := range stored {
		n.tell(e.Wire(), from)
	}
	return applied, nil
}

// verify reads a batch, drops what is known or wrong, and returns the rest by
// log and seq. It costs a signature check a record and holds no transaction.
func (n *Node) verify(ctx context.Context, wires [][]byte, roster *territory.Roster) (batch []*record.Envelope, applied Applied, err error) {
	for _, wire := range wires {
		e, err := record.Parse(wire)
		if err != nil || e.Territory != roster.Territory {
			applied.Refused++
			continue
		}
		batch = append(batch, e)
	}
	if batch, err = n.dropKnown(ctx, batch, &applied); err != nil {
		return nil, applied, err
	}
	signed := signedBy(roster, batch)
	good := batch[:0]
	for i, e := range batch {
		if signed[i] {
			good = append(good, e)
		} else {
			applied.Refused++
		}
	}
	slices.SortFunc(good, func(x, y *record.Envelope) int {
		return cmp.Or(slices.Compare(x.Hub[:], y.Hub[:]), cmp.Compare(x.Incarnation, y.Incarnation),
			cmp.Compare(x.Seq, y.Seq), slices.Compare(x.Hash[:], y.Hash[:]))
	})
	return good, applied, nil
}

// stripe is how many signatures one core checks before it looks for more.
const stripe = 16

// signedBy tells of each record whether its author may say it, and did. All cores
// check: it is most of what a record costs.
func signedBy(roster *territory.Roster, batch []*record.Envelope) []bool {
	authors := map[territory.HubID]territory.Author{}
	for _, e := range batch {
		if _, met := authors[e.Hub]; !met {
			authors[e.Hub], _ = roster.Author(e.Hub) // without a key when it is unknown
		}
	}
	signed := make([]bool, len(batch))
	var next atomic.Int64
	check := func() {
		for {
			end := int(next.Add(stripe))
			if end-stripe >= len(batch) {
				return
			}
			for i := end - stripe; i < min(end, len(batch)); i++ {
				e := batch[i]
				author := authors[e.Hub]
				signed[i] = author.Key != nil && author.Admits(e.Incarnation, e.Seq, e.Hash) && e.Verify(author.Key) == nil
			}
		}
	}
	var cores sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(batch)+stripe-1)/stripe) - 1 {
		cores.Go(check)
	}
	check()
	cores.Wait()
	return signed
}

// dropKnown spares the signature check of what is here already: in a territory
// that gossips, most of what comes.
func (n *Node) dropKnown(ctx context.Context, batch []*record.Envelope, applied *Applied) (fresh []*record.Envelope, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		for _, e := range batch {
			known, err := r.HasRecord(e.Place, e.Hash)
			if err != nil {
				return err
			}
			if known {
				applied.Known++
				continue
			}
			fresh = append(fresh, e)
		}
		return nil
	})
	return fresh, err
}

// absorb stores a verified batch and writes its one journal entry.
func (n *Node) absorb(tx *store.Tx, batch []*record.Envelope, from territory.HubID) (stored []*record.Envelope, applied Applied, err error) {
	a := n.absorbing(tx, n.Roster())
	a.undated = func(hub territory.HubID) bool { return n.clockWrong(hub, tx.Now) }
	for _, e := range batch {
		known, err := tx.HasRecord(e.Place, e.Hash)
		if err != nil {
			return nil, applied, err
		}
		if known {
			applied.Known++
			continue
		}
		if !a.member(e) { // a newer roster came since the signature was checked
			applied.Refused++
			continue
		}
		kept, held, err := a.add(e, from)
		switch {
		case err != nil:
			return nil, applied, err
		case !kept:
			applied.Postponed++
			continue
		case held:
			applied.Held++
		}
		applied.New++
		stored = append(stored, e)
	}
	if len(stored) == 0 {
		return nil, applied, nil
	}
	if err := a.finish(); err != nil {
		return nil, applied, err
	}
	return stored, applied, n.note(tx, entry{
		Kind: journal.KindRecordsApply, Actor: from.String(),
		Public: map[string]any{"new": applied.New, "held": applied.Held, "places": placesOf(stored)},
	})
}

// placesOf names what a batch held, shortly: per log, its first and last seq.
func placesOf(batch []*record.Envelope) map[string]any {
	spans := map[string]any{}
	for _, e := range batch {
		key := fmt.Sprintf("%s/%d", e.Hub, e.Incarnation)
		if span, met := spans[key].([]uint32); met {
			span[1] = e.Seq
			continue
		}
		spans[key] = []uint32{e.Seq, e.Seq}
	}
	return spans
}
