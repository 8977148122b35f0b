package node

import (
	"bytes"
	"context"
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// An edition is a change of the roster that this hub signs by itself.
type edition struct {
	kind    journal.Kind
	subject string
	public  map[string]any
	// edit changes the roster; root may be turned. What it writes and what it
	// refuses is of one transaction with the roster.
	edit func(tx *store.Tx, r *territory.Roster, root *territory.Root) error
	days int // that the roster holds; 0: territory.RosterDays
	when []Condition
}

// issue signs the present roster, changed, as the next version and takes it, in
// one transaction. code is the actor's fresh TOTP code: what holds for the whole
// territory is approved like a mandate. by is nil for the machine's owner, who
// needs none. It fails with Forbidden, Unavailable where the root is elsewhere,
// Unauthenticated on "code", Conflict for what a roster cannot say, and as its
// conditions do.
func (n *Node) issue(ctx context.Context, by *Actor, code string, e edition) error {
	if err := administers(by); err != nil {
		return err
	}
	var taken *heldRoster
	var refusal error
	err := n.db.Write(ctx, func(tx *store.Tx) (err error) {
		taken, refusal, err = n.edition(tx, by, code, e)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return fmt.Errorf("issue a roster (%s): %w", e.kind, err)
	}
	n.rosterTaken(ctx, taken)
	return nil
}

// edition is the transaction. A wrong code is committed, because it counts.
func (n *Node) edition(tx *store.Tx, by *Actor, code string, e edition) (taken *heldRoster, refusal, err error) {
	root, err := n.openRoot(tx.Reader)
	if err != nil {
		return nil, nil, err
	}
	held := n.Roster()
	if held == nil {
		return nil, nil, fault.Errorf(fault.Unavailable, "Ce relais n’a pas encore le registre de son territoire.", "no roster yet")
	}
	if err := meets(held, e.when); err != nil {
		return nil, nil, err
	}
	if by != nil {
		account, err := n.accountOf(tx.Reader, *by)
		if err != nil {
			return nil, nil, err
		}
		if refusal, err := n.approve(tx, account, code); refusal != nil || err != nil {
			return nil, refusal, err
		}
	}
	next, err := held.Clone()
	if err != nil {
		return nil, nil, err
	}
	if err := e.edit(tx, next, &root); err != nil {
		return nil, nil, err
	}
	if taken, err = n.sign(tx, root, next, e.days); err != nil {
		return nil, nil, err
	}
	return taken, nil, n.note(tx, entry{Kind: e.kind, Actor: actorOf(by), Subject: e.subject, Public: e.public})
}

// sign issues the roster, takes it, and keeps the root as it is now.
func (n *Node) sign(tx *store.Tx, root territory.Root, next *territory.Roster, days int) (*heldRoster, error) {
	if days == 0 {
		days = territory.RosterDays
	}
	if err := n.signsHere(root); err != nil {
		return nil, err
	}
	note, err := root.Issue(next, n.byPeers(tx.Now), days)
	if err != nil {
		return nil, fault.New(fault.Conflict,
			"Le registre ne peut pas être établi ainsi\u00a0: un nom ou une adresse est sans doute déjà pris. Rien n’a été changé.", err)
	}
	taken := n.holding(next, note, root.Public(), n.RootKey())
	if newer, err := n.takeRoster(tx, taken); err != nil || !newer {
		return nil, fmt.Errorf("take roster %d of our own: %w", next.Version, err)
	}
	if taken.root == taken.pinned {
		return taken, nil
	}
	return taken, n.putRoot(tx, root)
}

// signsHere refuses a root that is neither the pinned one, with what it announced,
// nor the one announced: hubs would not follow it, and this one would leave them.
func (n *Node) signsHere(root territory.Root) error {
	announced := n.Roster().NextRoot
	agrees := len(announced) == 0 || root.NextHash() == nil || bytes.Equal(root.NextHash(), announced)
	if root.Public() == n.RootKey() && agrees || bytes.Equal(territory.NextRootHash(root.Public()), announced) {
		return nil
	}
	return fault.Errorf(fault.Unavailable,
		"La clé du territoire a été changée ailleurs\u00a0: celle que ce relais garde ne vaut plus. Confiez-lui la nouvelle, ou faites l’opération sur le relais qui la garde.",
		"the root kept here is not the territory's any more")
}

// RenewRoster signs the roster as it is for another period. days is 0 for the
// usual one. Errors: those of every edition, and Invalid on "days".
func (n *Node) RenewRoster(ctx context.Context, by *Actor, code string, days int, when ...Condition) error {
	if days < 0 || days > territory.MaxRosterDays {
		return fault.Errorf(fault.Invalid, fmt.Sprintf("Indiquez une durée de 1 à %d\u00a0jours.", territory.MaxRosterDays), "%d days", days).On("days")
	}
	return n.issue(ctx, by, code, edition{
		kind: journal.KindRosterIssue, public: map[string]any{"renewed": true}, days: days, when: when,
		edit: func(*store.Tx, *territory.Roster, *territory.Root) error { return nil },
	})
}

// RotateRoot lets the root that was announced sign from now on, and announces
// the next. Hubs that sleep meanwhile recognise it by themselves.
func (n *Node) RotateRoot(ctx context.Context, by *Actor, code string, when ...Condition) error {
	return n.issue(ctx, by, code, edition{
		kind: journal.KindRosterIssue, public: map[string]any{"rotated": true}, when: when,
		edit: func(_ *store.Tx, _ *territory.Roster, root *territory.Root) (err error) {
			*root, err = root.Turn()
			return err
		},
	})
}
