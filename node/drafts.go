package node

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/seal"
)

// draftLife is how long an untouched draft is kept.
const draftLife = 24 * time.Hour

// Draft is a mandate being drawn up in four steps. It is kept sealed, so that a
// session that ends loses nothing, and is gone once granted or after a day.
type Draft struct {
	Accompaniment mediation.AccompanimentID
	Version       int64 // of the row the form was filled on; 0 for a new one
	Person        people.Beneficiary
	Declarations  mandate.Declarations
	Evidence      mandate.Evidence
	Lines         []mandate.Line
	Term          mandate.Term
	UpdatedAt     time.Time
}

// Draft returns the draft of a visit in posture "je fais", empty if none yet. It
// fails with NotFound for another structure's visit, Conflict when the visit is
// in another posture, closed, or led to a mandate already.
func (n *Node) Draft(ctx context.Context, by Actor, id mediation.AccompanimentID) (Draft, error) {
	var d Draft
	err := n.db.Read(ctx, func(r *store.Reader) error {
		if err := n.mayDraft(r, by, id); err != nil {
			return err
		}
		var err error
		d, err = n.readDraft(r, id)
		return err
	})
	return d, err
}

// mayDraft checks that the actor may draw up a mandate in this visit.
func (n *Node) mayDraft(r *store.Reader, by Actor, id mediation.AccompanimentID) error {
	if err := by.may(people.VerbDrawUp); err != nil {
		return err
	}
	if err := n.working(r, by); err != nil {
		return err
	}
	visit, err := visitOf(r, by, id)
	if err != nil {
		return err
	}
	return draftable(visit)
}

// draftable refuses a visit in which no mandate is drawn up, or no more.
func draftable(visit store.AccompanimentRow) error {
	switch {
	case !visit.Mandate.IsZero():
		return fault.Errorf(fault.Conflict, "Le mandat de cet accompagnement est déjà établi. Pour un autre mandat, ouvrez un nouvel accompagnement.",
			"accompaniment %s has mandate %s", visit.ID, visit.Mandate)
	case !visit.Posture.AllowsMandate():
		return fault.Errorf(fault.Conflict, "Seule la posture «\u00a0je fais\u00a0» demande un mandat. Ouvrez un nouvel accompagnement dans cette posture.",
			"accompaniment %s is in posture %q", visit.ID, visit.Posture)
	case !visit.Open():
		return fault.Errorf(fault.Conflict, "Cet accompagnement est terminé. Ouvrez-en un nouveau.", "accompaniment %s is closed", visit.ID)
	}
	return nil
}

// draftContent is a draft as it is sealed. It never leaves the hub, so its
// encoding is free to change with the column's version.
type draftContent struct {
	Person       people.Beneficiary
	Declarations mandate.Declarations
	Evidence     mandate.Evidence
	Lines        []mandate.Line
	Term         mandate.Term
}

func draftPlace(id mediation.AccompanimentID) seal.Place {
	return seal.Place{Table: "drafts", Row: id.String(), Column: "content", Version: 1}
}

// readDraft opens the draft of a visit, empty if none.
func (n *Node) readDraft(r *store.Reader, id mediation.AccompanimentID) (Draft, error) {
	row, found, err := r.Draft(id)
	if err != nil || !found {
		return Draft{Accompaniment: id}, err
	}
	plain, err := n.sealer.Open(seal.PurposeDraft, draftPlace(id), row.Content)
	if err != nil {
		return Draft{}, fmt.Errorf("draft of %s: %w", id, err)
	}
	var c draftContent
	if err := json.Unmarshal(plain, &c); err != nil {
		return Draft{}, fmt.Errorf("draft of %s is not in form", id) // the error would quote it
	}
	return Draft{
		Accompaniment: id, Version: row.Version, Person: c.Person, Declarations: c.Declarations,
		Evidence: c.Evidence, Lines: c.Lines, Term: c.Term, UpdatedAt: row.Updated,
	}, nil
}

// SaveDraft keeps what was filled so far, complete or not, and returns it in its
// one form with its new version. Stale when the row moved on since d.Version;
// Invalid on the field of what cannot be taken at all.
func (n *Node) SaveDraft(ctx context.Context, by Actor, d Draft) (Draft, error) {
	d, err := n.parseDraft(d)
	if err != nil {
		return Draft{}, err
	}
	plain, err := json.Marshal(draftContent{d.Person, d.Declarations, d.Evidence, d.Lines, d.Term})
	if err != nil {
		return Draft{}, err
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if err := n.mayDraft(tx.Reader, by, d.Accompaniment); err != nil {
			return err
		}
		sealed, err := n.seal(tx, seal.PurposeDraft, draftPlace(d.Accompaniment), plain)
		if err != nil {
			return err
		}
		put, err := tx.PutDraft(d.Accompaniment, d.Version, sealed)
		if err == nil && !put {
			err = staleDraft(d.Accompaniment)
		}
		d.UpdatedAt = tx.Now
		return err
	})
	if err != nil {
		return Draft{}, fmt.Errorf("save draft of %s: %w", d.Accompaniment, err)
	}
	d.Version++
	return d, nil
}

func staleDraft(id mediation.AccompanimentID) error {
	return fault.Errorf(fault.Stale, "Ce mandat a été modifié entre-temps dans une autre fenêtre ou par un collègue. Relisez-le avant de continuer.",
		"the draft of %s moved on", id)
}

func (n *Node) parseDraft(d Draft) (Draft, error) {
	var err error
	d.Person.ID = people.BeneficiaryID{}
	if d.Person, err = d.Person.Parse(n.now().In(n.zone())); err != nil {
		return Draft{}, err
	}
	if d.Lines, err = mandate.ParseLines(d.Lines); err != nil {
		return Draft{}, err
	}
	if d.Evidence != "" && !d.Evidence.Valid() {
		return Draft{}, fault.Errorf(fault.Invalid, "Choisissez dans la liste comment vous connaissez l’identité de la personne.", "unknown evidence level").On("evidence")
	}
	if d.Term != "" && !d.Term.Valid() {
		return Draft{}, fault.Errorf(fault.Invalid, "Choisissez la durée dans la liste.", "unknown term").On("term")
	}
	return d, nil
}

// expireDesk forgets drafts that nobody touched for a day, and the stop codes of
// mandates that are over. Erasing a code is part of the mandate's end, so it is an
// entry.
func (n *Node) expireDesk(tx *store.Tx) error {
	if err := tx.DropDrafts(tx.Now.Add(-draftLife)); err != nil {
		return err
	}
	erased, err := tx.DropStopCodes(tx.Now)
	if err != nil || erased == 0 {
		return err
	}
	return n.note(tx, entry{Kind: journal.KindExpire, Actor: actorMachine, Public: map[string]any{"stop_codes": erased}})
}
