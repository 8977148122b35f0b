package node

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
)

// Adoption is what became of a folder whose hub has another identity.
type Adoption struct {
	Keys PublicKeys // as the roster must say them from now on
	// Before is who the hub was; zero when the identity is the folder's own and
	// nothing was done.
	Before territory.HubID
	// Last is the last record that the former identity signed: where the roster
	// closes its log. Seq 0: none.
	Last record.Place
	Hash record.Hash // of that record
	// Waiting are records that the former identity left unsigned. They hold here,
	// and are said again under the new one once the roster lists it.
	Waiting int
}

// AdoptIdentity gives a folder, with every row in it, to the identity in o: a
// recovered machine has a new key, hence a new hub identifier and a new log, and
// nobody hears it before the roster lists it. Done twice, it is done once.
// Errors are those of Open, ErrOtherIdentity excepted.
func AdoptIdentity(ctx context.Context, o Options) (Adoption, error) {
	o = o.filled()
	db, err := store.Open(ctx, filepath.Join(o.Dir, databaseFile), store.Options{Now: o.Now, Logger: o.Logger})
	if errors.Is(err, store.ErrNoDatabase) {
		return Adoption{}, fmt.Errorf("adopt %s: %w", o.Dir, ErrNoFolder)
	}
	if err != nil {
		return Adoption{}, err
	}
	n := &Node{dir: o.Dir, db: db, sealer: o.Sealer, signer: o.Signer, now: o.Now, log: o.Logger}
	adopted, err := n.adopt(ctx)
	if err = errors.Join(err, db.Close()); err != nil {
		return Adoption{}, fmt.Errorf("adopt %s: %w", o.Dir, err)
	}
	return adopted, nil
}

func (n *Node) adopt(ctx context.Context) (a Adoption, err error) {
	spki, err := x509.MarshalPKIXPublicKey(n.signer.Public())
	if err != nil {
		return a, fmt.Errorf("identity key: %w", err)
	}
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if n.identity, err = readIdentity(tx.Reader, n.sealer); err != nil {
			return err
		}
		a = Adoption{Keys: n.keys}
		if n.self = n.keys.Hub; n.checkSigner() == nil {
			return nil
		}
		a.Before, a.Keys.Hub, a.Keys.Identity = n.self, territory.HubIDOf(spki), spki
		return n.become(tx, &a)
	})
	return a, err
}

// become writes who the hub is now. Witness and recipient stay: they are sealed
// under the KEK, which outlived the machine, and dossiers are sealed to the
// recipient.
func (n *Node) become(tx *store.Tx, a *Adoption) error {
	log, err := n.ownLog(tx.Reader)
	if err != nil {
		return err
	}
	head, err := tx.Log(log)
	if err != nil {
		return err
	}
	a.Last, a.Hash = record.Place{LogID: log, Seq: head.Head}, head.Hash
	totals, err := tx.RecordTotals()
	if err != nil {
		return err
	}
	a.Waiting = totals.Unsigned
	former, _, err := tx.Meta(metaFormer)
	if err != nil {
		return err
	}
	for key, value := range map[string][]byte{
		metaHub: a.Keys.Hub[:], metaIdentity: a.Keys.Identity, metaIncarnation: []byte("1"),
		metaFormer: append(former, a.Before[:]...),
	} {
		if err := tx.PutMeta(key, value); err != nil {
			return err
		}
	}
	return n.note(tx, entry{
		Kind: journal.KindHubAdopt, Actor: actorMachine, Subject: a.Keys.Hub.String(),
		Public: map[string]any{
			"before": a.Before.String(), "incarnation": log.Incarnation, "seq": head.Head, "hash": hex.EncodeToString(head.Hash[:]),
			"waiting": a.Waiting,
		},
	})
}
