package node

import (
	"context"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// PutNational names the territory's national service in the roster, or changes the
// address of the one that is named, and returns it as it stands there. It fails
// with Conflict when the territory has another, and as every edition does.
func (n *Node) PutNational(ctx context.Context, by *Actor, code string, s territory.National, when ...Condition) (territory.National, error) {
	err := n.issue(ctx, by, code, edition{
		kind: journal.KindNationalPut, subject: s.ID.String(), when: when,
		edit: func(_ *store.Tx, r *territory.Roster, _ *territory.Root) (err error) {
			if s, err = r.PutNational(s); err != nil {
				return fault.New(fault.Conflict, "Le territoire a déjà un service national, d’une autre clé. Rien n’a été changé.", err)
			}
			return nil
		},
	})
	return s, err
}
