package node

import (
	"context"
	"strconv"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// Author writes an unsigned record, with a journal entry as a change has.
func (n *Node) Author(ctx context.Context, body record.Body) (p record.Place, h record.Hash, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if p, h, err = n.author(tx, body); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindMandateGrant, Actor: actorMachine})
	})
	return p, h, err
}

// SignAll signs what waits, as the loop does.
func (n *Node) SignAll(ctx context.Context) error {
	for {
		more, err := n.signBatch(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// SetIncarnation says which log the hub writes to.
func (n *Node) SetIncarnation(ctx context.Context, incarnation uint16) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		return tx.PutMeta(metaIncarnation, []byte(strconv.Itoa(int(incarnation))))
	})
}

// Standing is what the notices' table says of a mandate.
func (n *Node) Standing(ctx context.Context, id mandate.ID) (s record.Standing, quarantined bool, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.Notices(id)
		for _, row := range rows {
			s = record.Standing{Notices: len(rows), All: row.AllStopped, Lines: row.Stopped}
			quarantined = quarantined || row.Quarantined
		}
		return err
	})
	return s, quarantined, err
}

// LogState is head and fork of a log.
func (n *Node) LogState(ctx context.Context, id record.LogID) (l store.Log, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error { l, err = r.Log(id); return err })
	return l, err
}

// Barred counts the records that do not count, by reason.
func (n *Node) Barred(ctx context.Context) (out map[record.Bar]int, err error) {
	out = map[record.Bar]int{}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		totals, err := r.BarredTotals()
		for bar, b := range totals {
			out[bar] = b.Count
		}
		return err
	})
	return out, err
}

// SealDossier seals a dossier to the hubs that serve a structure.
func (n *Node) SealDossier(id territory.StructureID, plain []byte) ([]byte, error) {
	return n.sealDossier(id, plain)
}

// OpenSealed opens a dossier sealed to this hub.
func (n *Node) OpenSealed(sealed []byte) ([]byte, error) { return n.openSealed(sealed) }

// KeepSealed keeps a dossier as another hub sealed it.
func (n *Node) KeepSealed(ctx context.Context, id mandate.ID, sealed []byte) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.PutDossier(id, sealed); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindMandateGrant, Actor: actorMachine})
	})
}

// GrantsBlocked says whether the clock forbids grants.
func (n *Node) GrantsBlocked(now time.Time) error { return n.grantsBlocked(now) }

// Suspended tells whether the territory suspends a helper.
func (n *Node) Suspended(ctx context.Context, helper territory.HelperID) (suspended bool, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { suspended, err = r.SuspensionStands(helper); return err })
	return suspended, err
}

// MaxSaidAgain is how many stops that a roster cuts off a hub says again.
const MaxSaidAgain = maxSaidAgain
