package node

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// Adoption is what became of a folder whose hub has another identity.
type Adoption struct {
	Keys PublicKeys // as the roster must say them from now on
	// Before is who the hub was until its last recovery; zero when it had none.
	Before territory.HubID
	// Cuts are the last records that Before signed, one an incarnation: where the
	// roster closes its logs.
	Cuts []territory.Cut
	// Waiting are unsigned records. Those of Before hold here, and are said again
	// under the new identity once the roster lists it.
	Waiting int
	// Done is false when the identity was the folder's own already.
	Done bool
}

// AdoptIdentity gives a folder, with every row in it, to the identity in o: a
// recovered machine has a new key, hence a new hub identifier and a new log, and
// nobody hears it before the roster lists it. Done twice, it is done once.
// Each of with is handed the folder's secrets afterwards, while nobody else has
// the folder. Errors are those of Open, ErrUsedIdentity (Keys say which) for
// ErrOtherIdentity, and those of with.
func AdoptIdentity(ctx context.Context, o Options, with ...func(context.Context, *Secrets) error) (Adoption, error) {
	o = o.filled()
	db, err := store.Open(ctx, filepath.Join(o.Dir, databaseFile), store.Options{Now: o.Now, Logger: o.Logger, Lock: o.Folder.Share()})
	if errors.Is(err, store.ErrNoDatabase) {
		return Adoption{}, fmt.Errorf("adopt %s: %w", o.Dir, ErrNoFolder)
	}
	if err != nil {
		return Adoption{}, err
	}
	n := &Node{dir: o.Dir, db: db, sealer: o.Sealer, signer: o.Signer, counter: o.Counter, now: o.Now, log: o.Logger}
	adopted, err := n.adopt(ctx, o.Used)
	for _, f := range with {
		if err == nil {
			err = f(ctx, n.Secrets())
		}
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return adopted, fmt.Errorf("adopt %s: %w", o.Dir, err)
	}
	return adopted, nil
}

func (n *Node) adopt(ctx context.Context, used bool) (a Adoption, err error) {
	spki, err := x509.MarshalPKIXPublicKey(n.signer.Public())
	if err != nil {
		return a, fmt.Errorf("identity key: %w", err)
	}
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { n.identity, err = readIdentity(r, n.sealer); return err })
	if err != nil {
		return a, err
	}
	a.Keys, n.self = n.keys, n.keys.Hub
	var counted []byte
	if a.Done = n.checkSigner() != nil; a.Done {
		a.Keys.Hub, a.Keys.Identity = territory.HubIDOf(spki), spki
		if used {
			return a, ErrUsedIdentity
		}
		counted = beginContinuity(n.counter) // the former identity's value is not this one's
	}
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if a.Done {
			err = n.become(tx, a.Keys, counted)
		}
		if err != nil {
			return err
		}
		return a.remember(tx.Reader)
	})
	return a, err
}

// become writes who the hub is now. Witness and recipient stay: they are sealed
// under the KEK, which outlived the machine, and dossiers are sealed to the
// recipient.
func (n *Node) become(tx *store.Tx, keys PublicKeys, counted []byte) error {
	former, _, err := tx.Meta(metaFormer)
	if err != nil {
		return err
	}
	for key, value := range map[string][]byte{
		metaHub: keys.Hub[:], metaIdentity: keys.Identity, metaIncarnation: []byte("1"),
		metaFormer: append(former, n.self[:]...), metaContinuity: counted,
	} {
		if err := tx.PutMeta(key, value); err != nil {
			return err
		}
	}
	var a Adoption
	if err := a.remember(tx.Reader); err != nil {
		return err
	}
	return n.note(tx, entry{
		Kind: journal.KindHubAdopt, Actor: actorMachine, Subject: keys.Hub.String(),
		Public: map[string]any{"before": a.Before.String(), "ends": endsOf(a.Cuts), "waiting": a.Waiting},
	})
}

// Before is the identity this hub lost last, and where its logs end, for the
// roster to close them; nil when it lost none.
func (n *Node) Before(ctx context.Context) (*territory.Replaced, error) {
	var a Adoption
	if err := n.db.Read(ctx, a.remember); err != nil || a.Before.IsZero() {
		return nil, err
	}
	return &territory.Replaced{Hub: a.Before, Cuts: a.Cuts}, nil
}

// remember finds who the hub was, and where that one's log ends.
func (a *Adoption) remember(r *store.Reader) error {
	totals, err := r.RecordTotals()
	if err != nil {
		return err
	}
	a.Waiting = totals.Unsigned
	former, _, err := r.Meta(metaFormer)
	if err != nil || len(former) < len(a.Before) {
		return err
	}
	a.Before = territory.HubID(former[len(former)-len(a.Before):])
	a.Cuts, err = cutsOf(r, a.Before)
	return err
}
