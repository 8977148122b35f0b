package node

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
)

// Actors that are nobody's account.
const (
	actorMachine = "machine" // the hub itself, or its owner on the command line
	actorKiosk   = "kiosque"
)

// entry is what a change says of itself in the journal.
type entry struct {
	Kind    journal.Kind
	Actor   string // id text of who did it ("a_…", "h_…"), or actorKiosk, actorMachine
	Subject string // id text of what it is about ("m_…", "v_…"); may be empty
	// Person is whose key seals Personal; zero: no personal part.
	Person people.BeneficiaryID
	// Key is hers, from who has just made it; nil: it is read.
	Key    *seal.Key
	Public map[string]any // small, not personal
	// Personal is sealed with Person's key and bound by HMAC with a fresh salt.
	Personal map[string]any
}

// personalPart is what an entry's sealed part holds.
type personalPart struct {
	_    struct{} `cbor:",toarray"`
	Salt []byte
	Text []byte // canonical CBOR: what the MAC covers
}

// errNobody is a mistake of ours: something personal without a key to seal it.
var errNobody = errors.New("a journal entry with a personal part names no person")

// note appends an entry to the journal, in the transaction of what it tells.
func (n *Node) note(tx *store.Tx, e entry) error {
	public, err := journal.Encode(nonNil(e.Public))
	if err != nil {
		return err
	}
	row := store.JournalRow{At: tx.Now, Kind: e.Kind, Actor: e.Actor, Subject: e.Subject, Public: public}
	switch {
	case !e.Person.IsZero():
		if err := n.sealPersonal(tx, &row, e); err != nil {
			return err
		}
	case e.Personal != nil:
		return errNobody
	}
	_, err = tx.AppendJournal(row)
	return err
}

func (n *Node) sealPersonal(tx *store.Tx, row *store.JournalRow, e entry) error {
	text, err := journal.Encode(nonNil(e.Personal))
	if err != nil {
		return err
	}
	var salt [journal.SaltSize]byte
	rand.Read(salt[:]) // never fails since Go 1.24
	plain, err := journal.Encode(personalPart{Salt: salt[:], Text: text})
	if err != nil {
		return err
	}
	row.Person, row.MAC = e.Person, journal.MAC(salt, text)
	if e.Key != nil {
		row.Sealed = e.Key.Seal(n.storeID, entryPlace(tx.JournalSize()), plain)
		return nil
	}
	row.Sealed, err = n.sealFor(tx, e.Person, entryPlace(tx.JournalSize()), plain)
	return err
}

// entryPlace is where the sealed part of an entry lives.
func entryPlace(seq int64) seal.Place {
	return seal.Place{Table: "journal", Row: strconv.FormatInt(seq, 10), Column: "sealed", Version: 1}
}

// nonNil keeps one encoding for "nothing".
func nonNil(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// Checkpoint signs the journal's tree as it stands, keeps it and returns the
// C2SP checkpoint. Nothing new since the last: the last.
func (n *Node) Checkpoint(ctx context.Context) ([]byte, error) {
	var signed []byte
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		tree := tx.Tree()
		last, found, err := tx.LastCheckpoint()
		if err != nil {
			return err
		}
		if found && last.Size == tree.Size() {
			signed = last.Note
			return nil
		}
		c := journal.Checkpoint{Origin: n.witness.Name(), Size: tree.Size(), Root: tree.Root()}
		if signed, err = c.Sign(n.witness); err != nil {
			return err
		}
		return tx.PutCheckpoint(store.Checkpoint{Size: c.Size, Note: signed})
	})
	return signed, err
}
