package node

import (
	"context"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// PutStructure adds a structure to the roster, or changes the one with its
// identifier: open, suspend, close it, say which hubs serve it.
func (n *Node) PutStructure(ctx context.Context, by *Actor, code string, s territory.Structure) (territory.Structure, error) {
	err := n.issue(ctx, by, code, edition{
		kind: journal.KindStructurePut, public: map[string]any{"state": string(s.State)},
		edit: func(_ *store.Tx, r *territory.Roster, _ *territory.Root) (err error) {
			s, err = r.PutStructure(s)
			if err != nil {
				return fault.New(fault.Conflict, "Une structure porte déjà ce nom dans le territoire. Choisissez-en un autre.", err).On("name")
			}
			return nil
		},
	})
	return s, err
}
