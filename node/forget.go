package node

import (
	"context"
	"fmt"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
)

// ForgettingID names one decision to forget a person.
type ForgettingID = store.ForgettingID

// Forget is a référent's word that a person is to be forgotten.
type Forget struct {
	Mandate mandate.ID // any of hers
	Seen    [32]byte   // of the PersonFile that was on the screen
	Code    string     // her fresh TOTP code
}

// ForgetPerson forgets the person of a mandate: of every mandate with her name and
// birth that this hub made, or whose maker is no more, her key is destroyed, and
// with it her fields and the salts of the journal; dossiers and notes of acts are
// erased; and every other hub that may hold a dossier is to be told. What remains
// names nobody: signed records, identifiers, instants, leaves of the journal.
// Forgetting twice returns the first forgetting. It fails with Forbidden for who
// is no référent, Conflict while something of hers is in force or when another hub
// is to do it, Stale when there is more or less than what was on the screen, and
// on "code" as Grant does.
func (n *Node) ForgetPerson(ctx context.Context, by Actor, f Forget) (ForgettingID, error) {
	made, err := n.forget(ctx, by, f)
	if err != nil {
		return made, fmt.Errorf("forget the person of %s: %w", f.Mandate, err)
	}
	n.tellForget()
	return made, nil
}

func (n *Node) forget(ctx context.Context, by Actor, f Forget) (made ForgettingID, err error) {
	if err := by.may(people.VerbForget); err != nil {
		return made, err
	}
	var held heldFile
	err = n.db.Read(ctx, func(r *store.Reader) (err error) {
		if made, err = forgottenBy(r, by, f.Mandate); err == nil && made.IsZero() {
			held, err = n.gather(r, by, f.Mandate) // opens every dossier: not for the writer
		}
		return err
	})
	if err != nil || !made.IsZero() {
		return made, err
	}
	var refusal error
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		made, refusal, err = n.forgetFile(tx, by, f, held)
		return err
	})
	if err == nil {
		err = refusal
	}
	return made, err
}

// forgottenBy returns the forgetting that a mandate of the actor's structure is of;
// zero for none.
func forgottenBy(r *store.Reader, by Actor, m mandate.ID) (ForgettingID, error) {
	done, found, err := r.Forgotten(m)
	if err != nil || !found || done.Structure != by.Structure || !done.Source.IsZero() {
		return ForgettingID{}, err
	}
	return done.Forgetting, nil
}

// forgetFile is the transaction. A refusal is committed, because a wrong code
// counts; an error undoes all.
func (n *Node) forgetFile(tx *store.Tx, by Actor, f Forget, held heldFile) (made ForgettingID, refusal, err error) {
	if made, err = forgottenBy(tx.Reader, by, f.Mandate); err != nil || !made.IsZero() {
		return made, nil, err
	}
	account, err := n.accountOf(tx.Reader, by)
	if err != nil {
		return made, nil, err
	}
	newer, _, err := tx.MandatesKept(held.structure, held.last)
	if err != nil {
		return made, nil, err
	}
	more, err := n.sameAs(tx.Reader, held.person, newer)
	if err != nil {
		return made, nil, err
	}
	held.all = append(more, held.all...)
	if err := n.stillNeeded(tx.Reader, held, tx.Now); err != nil {
		return made, nil, err
	}
	if held.seen() != f.Seen {
		return made, nil, fault.Errorf(fault.Stale, "Ce qui est gardé de cette personne a changé depuis que cette page est ouverte. Rien n’a été effacé\u00a0: relisez, puis recommencez.",
			"the file of the person of %s moved on", f.Mandate)
	}
	if refusal, err := n.approve(tx, account, f.Code); refusal != nil || err != nil {
		return made, refusal, err
	}
	made = id.Random[ForgettingID]()
	return made, nil, n.erase(tx, forgetting{id: made, actor: by.Helper.String(), holders: held.holders}, held.here())
}

// forgetting is what one decision has to say of itself.
type forgetting struct {
	id      ForgettingID
	actor   string
	source  territory.HubID   // the hub that asked; zero: decided here
	holders []territory.HubID // who is to be told of what this hub made
}

// erase forgets mandates, with an entry each. The snapshots of earlier schemas go
// first: they hold the keys that are destroyed, so that none is a way back any more.
func (n *Node) erase(tx *store.Tx, f forgetting, all []filed) error {
	if err := n.db.DropSnapshots(); err != nil {
		return err
	}
	for _, row := range all {
		if err := n.eraseOne(tx, f, row); err != nil {
			return fmt.Errorf("forget the person of %s: %w", row.ID, err)
		}
	}
	return nil
}

func (n *Node) eraseOne(tx *store.Tx, f forgetting, row filed) error {
	fresh, err := tx.PutForgotten(store.ForgottenRow{
		Mandate: row.ID, Structure: row.Structure, Forgetting: f.id, Source: f.source,
	})
	if err != nil || !fresh {
		return err
	}
	e := entry{Kind: journal.KindPersonForget, Actor: f.actor, Public: map[string]any{"mandate": row.ID.String(), "forgetting": f.id.String()}}
	if !row.Person.IsZero() { // her dossier was here
		e.Subject = row.Person.String()
		if err := n.forgetPerson(tx, row.Person); err != nil {
			return err
		}
	}
	if err := tx.EraseMandate(row.ID); err != nil {
		return err
	}
	if row.origin == n.self {
		for _, hub := range f.holders {
			if err := tx.AskForget(row.ID, hub); err != nil {
				return err
			}
		}
		e.Public["asked"] = len(f.holders)
	}
	return n.note(tx, e)
}

// tellForget wakes who tells the other hubs.
func (n *Node) tellForget() {
	n.newcomers.Store(0) // a roster may have come meanwhile
	for _, f := range n.onForget {
		f()
	}
}

// OnForget calls f when other hubs are to forget something. f must not block. For
// wiring, before Run.
func (n *Node) OnForget(f func()) { n.onForget = append(n.onForget, f) }
