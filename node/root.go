package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
	"relais/node/territory"
)

// rootSecret is where the territory's root is kept on the hub that holds it, sealed
// like the keys of certificates.
const rootSecret = "territory/root"

// ErrNoRoot means that this hub does not hold the territory's root: what needs a
// signature is done with the root's file, by relais territory.
var ErrNoRoot = errors.New("this hub does not hold the territory's root")

func noRoot() error {
	return fault.New(fault.Unavailable,
		"La clé du territoire n’est pas sur ce relais. Cette opération se fait avec son fichier, par la commande « relais territory », ou sur le relais qui la garde.", ErrNoRoot)
}

// KeepRoot seals the territory's root on this hub, which then signs rosters by
// itself. The root must be the one this hub pinned. by is nil for the machine's
// owner. Errors: Forbidden, or Invalid for another root.
func (n *Node) KeepRoot(ctx context.Context, by *Actor, root territory.Root) error {
	if err := administers(by); err != nil {
		return err
	}
	if root.Public() != n.RootKey() {
		return fault.Errorf(fault.Invalid, "Cette clé n’est pas celle de ce territoire. Rien n’a été enregistré.",
			"the root is not the one this hub pinned")
	}
	if held := n.Roster(); held != nil && root.NextHash() != nil && len(held.NextRoot) > 0 && !bytes.Equal(root.NextHash(), held.NextRoot) {
		return fault.Errorf(fault.Invalid, "La clé qui doit suivre n’est pas celle que le registre annonce. Rien n’a été enregistré.",
			"the key that follows is not the one the roster announces")
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		if err := n.putRoot(tx, root); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindRootKeep, Actor: actorOf(by)})
	})
	if err != nil {
		return fmt.Errorf("keep the root: %w", err)
	}
	return nil
}

func (n *Node) putRoot(tx *store.Tx, root territory.Root) error {
	text, err := root.Text()
	if err != nil {
		return err
	}
	sealed, err := n.seal(tx, seal.PurposeSecret, secretPlace(rootSecret), text)
	if err != nil {
		return err
	}
	return tx.PutSecret(store.Secret{Key: rootSecret, Value: sealed, Size: int64(len(text))})
}

// HoldsRoot tells whether this hub signs for its territory.
func (n *Node) HoldsRoot(ctx context.Context) bool { return n.Secrets().Exists(ctx, rootSecret) }

// ExportRoot returns the root's text, all of its secrets, for the machine's owner
// to put away encrypted: a hub that is lost must not take its territory along. It
// fails with Unavailable where the root is not here.
func (n *Node) ExportRoot(ctx context.Context) (text []byte, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		root, err := n.openRoot(tx.Reader)
		if err != nil {
			return err
		}
		if text, err = root.Text(); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindRootExport, Actor: actorMachine})
	})
	if err != nil {
		return nil, fmt.Errorf("export the root: %w", err)
	}
	return text, nil
}

// openRoot opens the root; ErrNoRoot, as a fault, where it is not.
func (n *Node) openRoot(r *store.Reader) (root territory.Root, err error) {
	kept, found, err := r.Secret(rootSecret)
	if err != nil {
		return root, err
	}
	if !found {
		return root, noRoot()
	}
	text, err := n.sealer.Open(seal.PurposeSecret, secretPlace(rootSecret), kept.Value)
	if err != nil {
		return root, fmt.Errorf("open the root: %w", err)
	}
	return territory.ParseRoot(text)
}

// RootKey is the territory's root as this hub pinned it, a note verifier key. It
// changes only when the root it announces signs a roster.
func (n *Node) RootKey() string {
	if held := n.roster.Load(); held != nil {
		return held.root
	}
	return n.birth.RootKey
}

// administers refuses an actor who does not do the département's work; nil is
// the machine's owner.
func administers(by *Actor) error {
	if by == nil {
		return nil
	}
	return by.may(people.VerbAdminister)
}
