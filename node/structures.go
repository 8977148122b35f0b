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
	public := map[string]any{"state": string(s.State)}
	err := n.issue(ctx, by, code, edition{
		kind: journal.KindStructurePut, public: public,
		edit: func(_ *store.Tx, r *territory.Roster, _ *territory.Root) (err error) {
			s, err = r.PutStructure(s)
			if err != nil {
				return fault.New(fault.Conflict, "Une structure porte déjà ce nom dans le territoire. Choisissez-en un autre.", err).On("name")
			}
			public["structure"] = s.ID.String()
			return nil
		},
	})
	return s, err
}
