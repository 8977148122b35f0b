package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"filippo.io/age"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/territory"
)

// maxSealedOctets bounds a sealed dossier before it is opened: the largest
// content, and a stanza for each of a hundred hubs.
const maxSealedOctets = 640 << 10

// sealDossier encrypts a dossier to the hubs that serve a structure today, this
// one included.
func (n *Node) sealDossier(id territory.StructureID, plain []byte) ([]byte, error) {
	recipients, err := n.recipients(n.Roster(), id)
	if err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	var sealed bytes.Buffer
	body, err := age.Encrypt(&sealed, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	if _, err := body.Write(plain); err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	if err := body.Close(); err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	return sealed.Bytes(), nil
}

func (n *Node) recipients(roster *territory.Roster, id territory.StructureID) ([]age.Recipient, error) {
	if roster == nil {
		return nil, errors.New("no roster yet")
	}
	s, known := roster.Structure(id)
	if !known || !s.ServedBy(n.self) {
		return nil, fault.Errorf(fault.Forbidden,
			"Ce relais n’est pas autorisé à le faire pour cette structure. Voyez avec le département.",
			"this hub does not serve structure %s", id)
	}
	var recipients []age.Recipient
	for _, hub := range roster.Hubs {
		if !s.ServedBy(hub.ID) || hub.State != territory.HubActive {
			continue
		}
		recipient, err := age.ParseX25519Recipient(hub.Recipient)
		if err != nil {
			return nil, fmt.Errorf("hub %s: %w", hub.ID, err)
		}
		recipients = append(recipients, recipient)
	}
	return recipients, nil
}

// WantedDossier is a dossier that this hub should hold and does not.
type WantedDossier struct {
	Mandate mandate.ID
	From    []territory.HubID // the author first, then the others that serve the structure
}

// WantedDossiers lists dossiers of structures this hub serves, at most limit.
// Those of mandates that are over, contradicted or quarantined are not wanted.
func (n *Node) WantedDossiers(ctx context.Context, limit int) (wanted []WantedDossier, err error) {
	roster := n.Roster()
	if roster == nil {
		return nil, nil
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		for _, s := range roster.Structures {
			if !s.ServedBy(n.self) || len(wanted) >= limit {
				continue
			}
			rows, err := r.WantedDossiers(s.ID, n.now(), limit-len(wanted))
			if err != nil {
				return err
			}
			for _, row := range rows {
				wanted = append(wanted, WantedDossier{row.Mandate, n.holders(roster, s, row.Origin)})
			}
		}
		return nil
	})
	return wanted, err
}

// holders are the hubs that may hand over a dossier.
func (n *Node) holders(roster *territory.Roster, s territory.Structure, origin territory.HubID) []territory.HubID {
	var from []territory.HubID
	for _, id := range append([]territory.HubID{origin}, s.Serving...) {
		hub, known := roster.Hub(id)
		if !known || hub.State != territory.HubActive || id == n.self || len(from) > 0 && id == origin {
			continue
		}
		from = append(from, id)
	}
	return from
}

// Dossier returns the sealed dossier for a hub that serves the structure;
// Forbidden for any other, NotFound when it is not here. It is a journal entry,
// once within oneReading: a peer must not make the journal grow at will.
func (n *Node) Dossier(ctx context.Context, id mandate.ID, asker territory.HubID) ([]byte, error) {
	var sealed []byte
	err := n.db.Read(ctx, func(r *store.Reader) (err error) {
		sealed, err = n.dossierFor(r, id, asker)
		return err
	})
	if key := (reading{asker.String(), id}); err == nil && !n.readings.fresh(key, n.now()) {
		err = n.db.Write(ctx, func(tx *store.Tx) error {
			return n.note(tx, entry{Kind: journal.KindDossierGive, Actor: asker.String(), Subject: id.String()})
		})
		if err == nil {
			n.readings.add(key, n.now())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dossier for %s: %w", asker, err)
	}
	return sealed, nil
}

func (n *Node) dossierFor(r *store.Reader, id mandate.ID, asker territory.HubID) ([]byte, error) {
	notice, err := n.soleNotice(r, id)
	if err != nil {
		return nil, err
	}
	if err := n.mayReceive(notice.Structure, asker); err != nil {
		return nil, err
	}
	sealed, found, err := r.Dossier(id)
	if err != nil || found {
		return sealed, err
	}
	return n.sealOwn(r, notice)
}

// sealOwn seals the dossier of a mandate made here, to the hubs that serve its
// structure now: what was granted is kept once, under the person's key. It fails
// with NotFound when there is none, or the person was forgotten.
func (n *Node) sealOwn(r *store.Reader, notice store.NoticeRow) ([]byte, error) {
	row, found, err := r.Mandate(notice.Mandate)
	if err == nil && !found {
		err = fault.Errorf(fault.NotFound, "Ce dossier n’est pas sur ce relais.", "no dossier of %s here", notice.Mandate)
	}
	if err != nil {
		return nil, err
	}
	plain, err := n.openFor(r, row.Person, mandatePlace(row.ID, "content"), row.Content)
	if err != nil {
		return nil, fmt.Errorf("content of %s: %w", row.ID, err)
	}
	return n.sealDossier(notice.Structure, plain)
}

// mayReceive refuses a hub that does not serve the structure, or not any more.
func (n *Node) mayReceive(id territory.StructureID, hub territory.HubID) error {
	if roster := n.Roster(); roster != nil {
		s, known := roster.Structure(id)
		entry, member := roster.Hub(hub)
		if known && member && s.ServedBy(hub) && entry.State == territory.HubActive {
			return nil
		}
	}
	return fault.Errorf(fault.Forbidden, "Ce relais ne dessert pas la structure de ce mandat.",
		"hub %s does not serve structure %s", hub, id)
}
