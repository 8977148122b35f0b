package node

import (
	"fmt"

	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
)

// keepDossier keeps, for this hub's desk, a mandate whose dossier came from
// another hub: the person gets a row and a key of her own here, the paper is
// still to be confirmed here, and there is no stop code. The caller has checked
// the dossier against its notice, keeps the sealed form and writes the journal's
// entry. A dossier already kept is no error.
func (n *Node) keepDossier(tx *store.Tx, d mandate.Dossier, plain []byte) error {
	m := d.Mandate
	if _, found, err := tx.Mandate(m.ID); err != nil || found {
		return err
	}
	person := id.Random[people.BeneficiaryID]()
	key, err := n.newPerson(tx, person)
	if err != nil {
		return err
	}
	_, err = tx.PutMandate(store.MandateRow{
		ID: m.ID, Structure: m.Structure, Person: person, Regime: m.Regime,
		Scopes: scopesOf(m), Start: m.Start, End: m.End,
		Content: key.Seal(n.storeID, mandatePlace(m.ID, "content"), plain),
	})
	if err != nil {
		return fmt.Errorf("keep the dossier of %s: %w", m.ID, err)
	}
	return nil
}
