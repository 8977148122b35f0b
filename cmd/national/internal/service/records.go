package service

import (
	"context"
	"fmt"

	"relais/cmd/national/internal/store"
	"relais/node"
	"relais/node/record"
	"relais/node/territory"
)

// The reasons for which a record is refused, as they are counted.
const (
	refusedEncoding  = "encoding"  // not the one accepted form
	refusedTerritory = "territory" // of another one
	refusedAuthor    = "author"    // not in the roster
	refusedCut       = "cut"       // above what the roster still admits
	refusedSignature = "signature" // not the author's
)

// Apply verifies each record and stores the good ones in one transaction, which
// is on the disk when Apply returns. A bad one is counted and spoils no other.
// from is the hub that handed them over.
func (s *Service) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error) {
	roster := s.Roster()
	refused := map[string]int{}
	rows := make([]store.Row, 0, len(wires))
	for _, wire := range wires {
		row, reason := verify(roster, wire)
		if reason != "" {
			refused[reason]++
			continue
		}
		rows = append(rows, row)
	}
	done, err := s.db.Append(ctx, rows, s.o.Now())
	if err != nil {
		return node.Applied{}, fmt.Errorf("store %d records: %w", len(rows), err)
	}
	if err := s.db.Refused(ctx, from, refused, s.o.Now()); err != nil {
		return node.Applied{}, fmt.Errorf("count refusals: %w", err)
	}
	applied := node.Applied{New: done.New, Known: done.Known, Held: done.Held, Postponed: done.Postponed}
	for _, n := range refused {
		applied.Refused += n
	}
	s.o.Logger.Info("records applied", "peer", from.String(), "new", applied.New, "known", applied.Known,
		"refused", applied.Refused, "held", applied.Held, "forks", done.Forks)
	return applied, nil
}

// verify judges one record by itself: "" when it may be stored.
func verify(roster *territory.Roster, wire []byte) (store.Row, string) {
	e, err := record.Parse(wire)
	if err != nil {
		return store.Row{}, refusedEncoding
	}
	if e.Territory != roster.Territory {
		return store.Row{}, refusedTerritory
	}
	author, known := roster.Author(e.Hub)
	if !known {
		return store.Row{}, refusedAuthor
	}
	if !author.Admits(e.Incarnation, e.Seq, e.Hash) {
		return store.Row{}, refusedCut
	}
	if err := e.Verify(author.Key); err != nil {
		return store.Row{}, refusedSignature
	}
	return store.Row{Place: e.Place, Kind: e.Kind, Prev: e.Prev, Hash: e.Hash, Wire: wire}, ""
}
