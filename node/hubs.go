package node

import (
	"context"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/territory"
)

// HubView is the page of one hub: what the territory says of it, and what this
// hub heard from it.
type HubView struct {
	HubStatus
	// Ends are where its logs end as far as known here, the oldest first: what an
	// expulsion decided now would keep.
	Ends []territory.Cut
	// Forked tells whether one of its logs has two histories.
	Forked bool
	// Structures are those that it serves.
	Structures []territory.Structure
}

// Hub returns the view of a hub that the roster lists, expelled ones included, of
// one moment. It fails with NotFound for another.
func (n *Node) Hub(ctx context.Context, hub territory.HubID) (v HubView, err error) {
	roster := n.Roster()
	if roster == nil {
		return v, unlisted(hub)
	}
	if _, listed := roster.Hub(hub); !listed {
		return v, unlisted(hub)
	}
	var logs []store.Log
	err = n.db.Read(ctx, func(r *store.Reader) error {
		if v.Ends, err = cutsOf(r, hub); err != nil {
			return err
		}
		logs, err = r.Logs()
		return err
	})
	if err != nil {
		return v, err
	}
	for _, l := range logs {
		v.Forked = v.Forked || l.Hub == hub && l.Forked > 0
	}
	for _, status := range n.hubStatuses(roster, logs, n.now()) {
		if status.Hub.ID == hub {
			v.HubStatus = status
		}
	}
	for _, s := range roster.Structures {
		if s.ServedBy(hub) {
			v.Structures = append(v.Structures, s)
		}
	}
	return v, nil
}

func unlisted(hub territory.HubID) error {
	return fault.Errorf(fault.NotFound, "Ce relais n’est pas dans le registre du territoire.", "%s is not listed", hub)
}
