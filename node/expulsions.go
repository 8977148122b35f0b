package node

import (
	"context"
	"errors"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// Expel puts a hub out of the territory, its logs closed where this hub knows
// them: what it said until then stands, nothing after does. It fails with
// NotFound for a hub that is not listed, and Invalid for this one, which would
// sign its own end.
func (n *Node) Expel(ctx context.Context, by *Actor, code string, hub territory.HubID, when ...Condition) error {
	if hub == n.self {
		return fault.Errorf(fault.Invalid, "Ce relais ne peut pas s’exclure lui-même. Faites-le depuis un autre relais.", "a hub does not expel itself")
	}
	public := map[string]any{}
	return n.issue(ctx, by, code, edition{
		kind: journal.KindHubExpel, subject: hub.String(), public: public, when: when,
		edit: func(tx *store.Tx, r *territory.Roster, _ *territory.Root) error {
			cuts, err := cutsOf(tx.Reader, hub)
			if err != nil {
				return err
			}
			public["ends"] = endsOf(cuts)
			err = r.Expel(hub, cuts)
			if errors.Is(err, territory.ErrExpelled) {
				return fault.New(fault.Conflict, "Ce relais est déjà exclu du territoire.", err)
			}
			if err != nil {
				return fault.New(fault.NotFound, "Ce relais n’est pas dans le registre du territoire.", err)
			}
			return nil
		},
	})
}

// Outside tells whether the roster gives this hub no place: it was expelled, or its
// new identity still waits. Nobody hears what it would say, so that it says nothing.
func (n *Node) Outside() bool {
	roster := n.Roster()
	if roster == nil {
		return false
	}
	self, listed := roster.Hub(n.self)
	return !listed || self.State == territory.HubExpelled
}

// stopsNothing says, where that is why a stop was refused, that nothing was stopped
// and what does stop it.
func (n *Node) stopsNothing(err error) error {
	if !fault.Is(err, fault.Forbidden) || !n.Outside() {
		return err
	}
	return fault.New(fault.Forbidden, "Rien n’a été arrêté\u00a0: ce relais ne fait pas partie du territoire en ce moment, et les autres ne l’entendent pas. "+
		"Le mandat continue. Arrêtez-le depuis un autre relais, par son code ou au bureau, ou faites écrire une lettre à la structure\u00a0; puis appelez le département.", err)
}

// grantsExpelled refuses grants at a hub that knows it was expelled: no other would
// hear of them.
func (n *Node) grantsExpelled() error {
	roster := n.Roster()
	if roster == nil {
		return nil
	}
	if self, listed := roster.Hub(n.self); !listed || self.State != territory.HubExpelled {
		return nil
	}
	return fault.Errorf(fault.Forbidden,
		"Ce relais a été exclu du territoire\u00a0: aucun mandat ne peut plus y être créé. Appelez le département.",
		"this hub is expelled: roster %d", roster.Version)
}
