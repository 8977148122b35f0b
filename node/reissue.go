package node

import (
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

// reissue says again, in this hub's log, what a former identity wrote and can
// never sign. It waits until the roster lists this hub and lets it say so: until
// then the records stand, here alone.
func (n *Node) reissue(tx *store.Tx) error {
	roster := n.Roster()
	if roster == nil {
		return nil
	}
	if _, listed := roster.Hub(n.self); !listed {
		return nil
	}
	orphans, err := tx.OrphanRecords(n.self, maxSignBatch)
	if err != nil {
		return err
	}
	for _, row := range orphans {
		if err := n.reissueOne(tx, row); err != nil {
			return fmt.Errorf("say record %d of %s again: %w", row.Seq, row.Hub, err)
		}
	}
	return nil
}

func (n *Node) reissueOne(tx *store.Tx, row store.RecordRow) error {
	e, err := row.Decode()
	if err != nil {
		return err
	}
	r, err := n.draftRecord(tx, e.Body)
	if err != nil {
		return err
	}
	r.Hub = n.self
	if n.absorbing(tx, n.Roster()).admit(&record.Envelope{Record: r}) != "" {
		return nil // not for this hub to say today; another roster may differ
	}
	if b, ok := e.Body.(*record.Notice); ok {
		if b.Dossier, err = n.resealDossier(tx, b); err != nil {
			return err
		}
	}
	if err := tx.Forget(row.ID); err != nil {
		return err
	}
	if err := tx.DropUnsigned(row.ID); err != nil {
		return err
	}
	place, _, err := n.author(tx, e.Body)
	if err != nil {
		return err
	}
	return n.noteReissue(tx, row, place)
}

// noteReissue writes down that a record nobody knew has another place.
func (n *Node) noteReissue(tx *store.Tx, row store.RecordRow, place record.Place) error {
	return n.note(tx, entry{
		Kind: journal.KindRecordReissue, Actor: actorMachine, Subject: row.Hub.String(),
		Public: map[string]any{
			"incarnation": row.Incarnation, "seq": row.Seq, "as_incarnation": place.Incarnation, "as_seq": place.Seq,
		},
	})
}

// resealDossier writes this hub's name in the dossier of a notice that it is
// about to say: others take a dossier only from the hub that its notice is of.
func (n *Node) resealDossier(tx *store.Tx, b *record.Notice) (digest [16]byte, err error) {
	row, found, err := tx.Mandate(b.Mandate)
	if err != nil || !found {
		return b.Dossier, err
	}
	d, err := n.openDossier(tx.Reader, row)
	if fault.Is(err, fault.NotFound) { // the person was forgotten: nobody will ask for it
		return b.Dossier, nil
	}
	if err != nil {
		return digest, err
	}
	d.Hub = n.self
	d.Mandate.Beneficiary.ID, d.Mandate.Paper = people.BeneficiaryID{}, mandate.Paper{} // of this desk alone
	plain, err := d.Encode()
	if err != nil {
		return digest, err
	}
	content, err := n.sealFor(tx, row.Person, mandatePlace(row.ID, "content"), plain)
	if err != nil {
		return digest, err
	}
	return record.DossierDigest(plain), tx.RewriteDossier(b.Mandate, content)
}
