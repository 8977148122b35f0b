package node

import (
	"context"

	"github.com/fxamacker/cbor/v2"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
)

// JournalEntry is what a test writes in the journal.
type JournalEntry entry

// Note appends an entry, as every change does.
func (n *Node) Note(ctx context.Context, e JournalEntry) error {
	return n.db.Write(ctx, func(tx *store.Tx) error { return n.note(tx, entry(e)) })
}

// NewPerson writes a person down.
func (n *Node) NewPerson(ctx context.Context, id people.BeneficiaryID) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := n.newPerson(tx, id); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindPersonCreate, Actor: actorMachine, Subject: id.String()})
	})
}

// ErasePerson destroys a person's key.
func (n *Node) ErasePerson(ctx context.Context, id people.BeneficiaryID) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := n.forgetPerson(tx, id); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindPersonForget, Actor: actorMachine, Subject: id.String()})
	})
}

// SealFor seals something of a person.
func (n *Node) SealFor(ctx context.Context, id people.BeneficiaryID, at seal.Place, plain []byte) (sealed []byte, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) { sealed, err = n.sealFor(tx, id, at, plain); return err })
	return sealed, err
}

// OpenFor opens it again.
func (n *Node) OpenFor(ctx context.Context, id people.BeneficiaryID, at seal.Place, sealed []byte) (plain []byte, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { plain, err = n.openFor(r, id, at, sealed); return err })
	return plain, err
}

// PersonalPart opens the sealed part of an entry and checks it against its MAC.
func (n *Node) PersonalPart(ctx context.Context, seq int64) (text []byte, bound bool, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		var person, mac, sealed []byte
		err := r.QueryRow(`SELECT person, mac, sealed FROM journal WHERE seq = ?`, seq).Scan(&person, &mac, &sealed)
		if err != nil {
			return err
		}
		plain, err := n.openFor(r, people.BeneficiaryID(person), entryPlace(seq), sealed)
		if err != nil {
			return err
		}
		var part personalPart
		if err := cbor.Unmarshal(plain, &part); err != nil {
			return err
		}
		text = part.Text
		bound = journal.MAC([journal.SaltSize]byte(part.Salt), text) == [32]byte(mac)
		return nil
	})
	return text, bound, err
}

// JournalCount counts the entries of a kind.
func (n *Node) JournalCount(ctx context.Context, kind journal.Kind) (count int, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		return r.QueryRow(`SELECT count(*) FROM journal WHERE kind = ?`, string(kind)).Scan(&count)
	})
	return count, err
}
