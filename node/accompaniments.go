package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// maxToday bounds the list of today's visits.
const maxToday = 500

// NewAccompaniment opens a visit. ID comes from the form, so that a double
// submit is one visit.
type NewAccompaniment struct {
	ID      mediation.AccompanimentID
	Posture mediation.Posture
	Theme   string // a scope key or ""
}

// AccompanimentView is a visit as the desk shows it.
type AccompanimentView struct {
	mediation.Accompaniment
	HelperName string
	Person     *people.Beneficiary // nil without a name
	Mandate    mandate.ID          // zero: none yet
	State      mandate.State       // of that mandate
	HasDraft   bool
}

// OpenAccompaniment opens a visit, or returns the one already opened with this
// ID. It fails with Forbidden, Invalid on "posture" or "theme", or Conflict when
// the ID is another structure's visit.
func (n *Node) OpenAccompaniment(ctx context.Context, by Actor, a NewAccompaniment) (AccompanimentView, error) {
	if err := by.may(people.VerbAccompany); err != nil {
		return AccompanimentView{}, err
	}
	if err := a.check(); err != nil {
		return AccompanimentView{}, err
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		if _, found, err := tx.Accompaniment(a.ID); err != nil || found {
			return err
		}
		if err := n.working(tx.Reader, by); err != nil {
			return err
		}
		_, err := tx.PutAccompaniment(mediation.Accompaniment{
			ID: a.ID, Structure: by.Structure, Helper: by.Helper, Posture: a.Posture, Theme: a.Theme, OpenedAt: tx.Now,
		})
		if err != nil {
			return err
		}
		return n.note(tx, entry{
			Kind: journal.KindAccompanimentOpen, Actor: by.Helper.String(), Subject: a.ID.String(),
			Public: map[string]any{"posture": string(a.Posture), "theme": a.Theme, "structure": by.Structure.String()},
		})
	})
	if err != nil {
		return AccompanimentView{}, fmt.Errorf("open accompaniment %s: %w", a.ID, err)
	}
	return n.Accompaniment(ctx, by, a.ID)
}

func (a NewAccompaniment) check() error {
	switch {
	case a.ID.IsZero():
		return fault.Errorf(fault.Invalid, "Le formulaire est incomplet. Rouvrez la page et réessayez.", "accompaniment without an identifier").On("id")
	case !a.Posture.Valid():
		return fault.Errorf(fault.Invalid, "Choisissez votre posture\u00a0: je forme, j’accompagne ou je fais.", "unknown posture").On("posture")
	case a.Theme != "" && !mandate.Scope(a.Theme).Valid():
		return fault.Errorf(fault.Invalid, "Choisissez le thème dans la liste.", "unknown theme").On("theme")
	}
	return nil
}

// working refuses a helper whose account went or was suspended since the session
// began.
func (n *Node) working(r *store.Reader, by Actor) error {
	_, err := n.accountOf(r, by)
	return err
}

// accountOf is the account of a helper who is working.
func (n *Node) accountOf(r *store.Reader, by Actor) (store.HelperRow, error) {
	row, found, err := r.Helper(by.Helper)
	if err == nil && !found {
		err = fault.Errorf(fault.Unauthenticated, "Votre session est terminée. Connectez-vous.", "no account %s here", by.Helper)
	}
	if err == nil {
		err = n.mayWork(r, row)
	}
	return row, err
}

// Accompaniment returns one visit of the actor's structure, NotFound for any
// other.
func (n *Node) Accompaniment(ctx context.Context, by Actor, id mediation.AccompanimentID) (AccompanimentView, error) {
	if err := by.may(people.VerbAccompany); err != nil {
		return AccompanimentView{}, err
	}
	var view AccompanimentView
	err := n.db.Read(ctx, func(r *store.Reader) error {
		row, err := visitOf(r, by, id)
		if err != nil {
			return err
		}
		view, err = n.accompanimentView(r, by, row)
		return err
	})
	return view, err
}

// visitOf reads a visit of the actor's structure. What is another structure's is
// not said to exist.
func visitOf(r *store.Reader, by Actor, id mediation.AccompanimentID) (store.AccompanimentRow, error) {
	row, found, err := r.Accompaniment(id)
	if err == nil && (!found || row.Structure != by.Structure) {
		err = fault.Errorf(fault.NotFound, "Cet accompagnement n’est pas connu de votre structure sur ce relais.", "no accompaniment %s for %s", id, by.Structure)
	}
	return row, err
}

// Today lists the visits of the actor's structure opened since local midnight
// and those still open, newest first, at most limit.
func (n *Node) Today(ctx context.Context, by Actor, limit int) ([]AccompanimentView, error) {
	if err := by.may(people.VerbAccompany); err != nil {
		return nil, err
	}
	var views []AccompanimentView
	err := n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.Accompaniments(by.Structure, people.Midnight(n.now(), n.zone()), min(max(limit, 1), maxToday))
		if err != nil {
			return err
		}
		for _, row := range rows {
			view, err := n.accompanimentView(r, by, row)
			if err != nil {
				return err
			}
			views = append(views, view)
		}
		return nil
	})
	return views, err
}

// zone is the territory's time zone, metropolitan France's before any roster.
func (n *Node) zone() *time.Location {
	if roster := n.Roster(); roster != nil {
		return people.Zone(roster.Zone)
	}
	return people.Zone("")
}

func (n *Node) accompanimentView(r *store.Reader, by Actor, row store.AccompanimentRow) (AccompanimentView, error) {
	name, err := n.helperName(row.Helper, row.HelperName)
	if err != nil {
		return AccompanimentView{}, err
	}
	view := AccompanimentView{
		Accompaniment: row.Accompaniment, HelperName: name.Full(), Mandate: row.Mandate, HasDraft: row.HasDraft,
	}
	switch {
	case !row.Mandate.IsZero():
		view.Person, view.State, err = n.visitMandate(r, by, row.Mandate)
	case row.HasDraft:
		view.Person, err = n.draftPerson(r, row.ID)
	}
	return view, err
}

// visitMandate is whose mandate a visit led to and where it stands. A person who
// was forgotten has no name any more.
func (n *Node) visitMandate(r *store.Reader, by Actor, id mandate.ID) (*people.Beneficiary, mandate.State, error) {
	facts, err := n.facts(r, by.Helper, id)
	if err != nil {
		return nil, "", err
	}
	state := mandate.StateOf(facts, n.now())
	row, _, err := r.Mandate(id)
	if err != nil {
		return nil, "", err
	}
	dossier, err := n.openDossier(r, row)
	if fault.Is(err, fault.NotFound) {
		return nil, state, nil
	}
	if err != nil {
		return nil, "", err
	}
	return &dossier.Mandate.Beneficiary, state, nil
}

// draftPerson is whom a draft names so far; nil for nobody yet.
func (n *Node) draftPerson(r *store.Reader, id mediation.AccompanimentID) (*people.Beneficiary, error) {
	draft, err := n.readDraft(r, id)
	if err != nil || draft.Person.Name.IsZero() {
		return nil, err
	}
	return &draft.Person, nil
}

// CloseAccompaniment ends a visit and drops its unfinished draft. Ending it twice
// is no error.
func (n *Node) CloseAccompaniment(ctx context.Context, by Actor, id mediation.AccompanimentID) error {
	if err := by.may(people.VerbAccompany); err != nil {
		return err
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := visitOf(tx.Reader, by, id); err != nil {
			return err
		}
		closed, err := tx.CloseAccompaniment(id, tx.Now)
		if err != nil || !closed {
			return err
		}
		if err := tx.DropDraft(id); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindAccompanimentClose, Actor: by.Helper.String(), Subject: id.String()})
	})
}
