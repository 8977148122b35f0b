package node

import (
	"crypto/rand"
	"errors"
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/people"
	"relais/node/seal"
)

// personKeyID is the id in the header of what a person's key seals: she has one.
const personKeyID = 1

// errErased says that a person's key was destroyed, and with it all that it
// sealed.
var errErased = errors.New("the person's key was erased")

// personPlace is where a person's wrapped key lives.
func personPlace(id people.BeneficiaryID) seal.Place {
	return seal.Place{Table: "persons", Row: id.String(), Column: "wrapped", Version: 1}
}

// newPerson makes a key for a person, keeps it wrapped and returns it for what
// the same transaction seals.
func (n *Node) newPerson(tx *store.Tx, id people.BeneficiaryID) (seal.Key, error) {
	secret := make([]byte, seal.KeySize)
	rand.Read(secret) // never fails since Go 1.24
	wrapped, err := n.seal(tx, seal.PurposePerson, personPlace(id), secret)
	if err != nil {
		return seal.Key{}, fmt.Errorf("wrap the key of %s: %w", id, err)
	}
	if err := tx.PutPersonKey(id, wrapped); err != nil {
		return seal.Key{}, err
	}
	return seal.NewKey(personKeyID, secret)
}

// sealFor encrypts something of a person under her own key.
func (n *Node) sealFor(tx *store.Tx, id people.BeneficiaryID, at seal.Place, plain []byte) ([]byte, error) {
	key, err := n.personKey(tx.Reader, id)
	if err != nil {
		return nil, err
	}
	return key.Seal(n.storeID, at, plain), nil
}

// openFor decrypts what sealFor made. Once her key is erased it is NotFound.
func (n *Node) openFor(r *store.Reader, id people.BeneficiaryID, at seal.Place, sealed []byte) ([]byte, error) {
	key, err := n.personKey(r, id)
	if err != nil {
		return nil, err
	}
	return key.Open(n.storeID, at, sealed)
}

// forgetPerson destroys a person's key: all that it sealed is noise from then
// on, and every proof of the journal still holds.
func (n *Node) forgetPerson(tx *store.Tx, id people.BeneficiaryID) error {
	_, err := tx.ErasePersonKey(id) // twice is once
	return err
}

func (n *Node) personKey(r *store.Reader, id people.BeneficiaryID) (seal.Key, error) {
	wrapped, found, err := r.PersonKey(id)
	switch {
	case err != nil:
		return seal.Key{}, err
	case !found:
		return seal.Key{}, fault.Errorf(fault.NotFound, "Cette personne n’est pas connue de ce relais.", "no key for %s", id)
	case wrapped == nil:
		return seal.Key{}, fault.New(fault.NotFound,
			"Les informations de cette personne ont été effacées.", fmt.Errorf("%s: %w", id, errErased))
	}
	secret, err := n.sealer.Open(seal.PurposePerson, personPlace(id), wrapped)
	if err != nil {
		return seal.Key{}, fmt.Errorf("unwrap the key of %s: %w", id, err)
	}
	return seal.NewKey(personKeyID, secret)
}
