package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/record"
	"relais/node/territory"
)

// PutDossier opens a sealed dossier, checks it against its notice and keeps it.
// What authenticates it is the notice's digest, not who hands it over. It is
// Forbidden when this hub does not serve the structure, Invalid when the dossier
// is not the one the notice names, NotFound when its person was forgotten here: she
// does not come back, whoever still has it. A dossier already here is no error.
func (n *Node) PutDossier(ctx context.Context, id mandate.ID, sealed []byte) error {
	plain, err := n.openSealed(sealed)
	if err != nil {
		return fmt.Errorf("put dossier of %s: %w", id, refusedDossier(err))
	}
	d, err := mandate.DecodeDossier(plain)
	if err != nil {
		return fmt.Errorf("put dossier of %s: %w", id, refusedDossier(err))
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if _, gone, err := tx.Forgotten(id); err != nil || gone {
			return forgottenDossier(err, id)
		}
		if held, err := tx.HasDossier(id); err != nil || held {
			return err
		}
		notice, err := n.soleNotice(tx.Reader, id)
		if err != nil {
			return err
		}
		if err := n.mayReceive(notice.Structure, n.self); err != nil {
			return err
		}
		if err := sameMandate(d, plain, notice, n.birth.Territory); err != nil {
			return refusedDossier(err)
		}
		if err := tx.PutDossier(id, sealed); err != nil {
			return err
		}
		if err := n.keepDossier(tx, d, plain); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindDossierPut, Actor: notice.Hub.String(), Subject: id.String()})
	})
	if err != nil {
		return fmt.Errorf("put dossier of %s: %w", id, err)
	}
	return nil
}

// openSealed decrypts a dossier sealed to this hub.
func (n *Node) openSealed(sealed []byte) ([]byte, error) {
	if len(sealed) > maxSealedOctets {
		return nil, fmt.Errorf("sealed dossier of %d octets; the limit is %d", len(sealed), maxSealedOctets)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), n.recipient)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r) // not longer than what was sealed
}

// sameMandate compares a dossier with its notice: the digest, which binds all of it,
// and every field that both state.
func sameMandate(d mandate.Dossier, plain []byte, notice store.NoticeRow, code territory.Code) error {
	m := d.Mandate
	switch {
	case record.DossierDigest(plain) != notice.Dossier:
		return errors.New("its digest is not the notice's")
	case d.Territory != code, d.Hub != notice.Hub, m.ID != notice.Mandate, m.Structure != notice.Structure,
		m.Regime != notice.Regime, len(m.Lines) != int(notice.Lines), !m.Start.Equal(notice.Start), !m.End.Equal(notice.End):
		return errors.New("it does not state what the notice states")
	}
	return nil
}

func forgottenDossier(err error, id mandate.ID) error {
	if err != nil {
		return err
	}
	return fault.Errorf(fault.NotFound, "Les informations de cette personne ont été effacées.", "the person of %s was forgotten", id)
}

func refusedDossier(err error) error {
	return fault.New(fault.Invalid, "Ce dossier n’est pas celui qui a été annoncé\u00a0: il est refusé.", err)
}
