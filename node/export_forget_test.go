package node

import (
	"context"

	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/territory"
)

// Openable are the octets that the hub's own keys, or keys that they open, would turn
// into what a mandate says of its person.
func (n *Node) Openable(ctx context.Context, m mandate.ID) (all map[string][]byte, err error) {
	all = map[string][]byte{}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		row, found, err := r.Mandate(m)
		if err != nil || !found {
			return err
		}
		all["content"] = row.Content
		if all["key"], _, err = r.PersonKey(row.Person); err != nil {
			return err
		}
		if all["dossier"], _, err = r.Dossier(m); err != nil {
			return err
		}
		acts, err := r.Acts(m, 1)
		if len(acts) > 0 {
			all["note"] = acts[0].Sealed
		}
		return err
	})
	for name, octets := range all {
		if len(octets) == 0 {
			delete(all, name)
		}
	}
	return all, err
}

// CutsOf are where this hub knows the logs of another to end.
func (n *Node) CutsOf(ctx context.Context, hub territory.HubID) (cuts []territory.Cut, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { cuts, err = cutsOf(r, hub); return err })
	return cuts, err
}
