package node

import (
	"context"
	"testing"

	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
)

// ResealBatches makes transactions of so few values until the test ends.
func ResealBatches(t testing.TB, rows int) {
	kept := resealBatch
	resealBatch = rows
	t.Cleanup(func() { resealBatch = kept })
}

// SealedColumn is one of sealedColumns, for whoever reads the rows from outside.
type SealedColumn struct {
	Table, Key, Column string
	Purpose            seal.Purpose
	Place              func(key any) seal.Place
}

// SealedColumns lists what Reseal knows.
func SealedColumns() (list []SealedColumn) {
	for _, c := range sealedColumns {
		list = append(list, SealedColumn{c.Table, c.Key, c.Column, c.purpose, c.place})
	}
	return list
}

// FillPersons writes many persons down at once.
func (n *Node) FillPersons(ctx context.Context, count int) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		for range count {
			if _, err := n.newPerson(tx, id.Random[people.BeneficiaryID]()); err != nil {
				return err
			}
		}
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine})
	})
}
