package node

import (
	"context"
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// maxActs bounds the acts shown with a mandate.
const maxActs = 500

// MandateView is a mandate as a desk shows it.
type MandateView struct {
	mandate.Mandate
	StructureName string
	// Articles are the text as it was presented and printed, whose hash is Text.
	Articles []mandate.Article
	State    mandate.State
	// LineVerdicts answer, per line and for this actor, whether it may be used now.
	LineVerdicts []mandate.Verdict
	Stops        []StopView
	Acts         []ActView
	// StillActive says what is left to do in Aidants Connect; nil for nothing.
	StillActive *StillActive
	// OriginName is the hub that drew it up.
	OriginName string
	// Published is false until the notice is signed: "effectif ici, envoi en attente".
	Published bool
	// StopCode is shown on the person's copy; nil once the copy was handed over,
	// and on every other hub.
	StopCode *record.StopCode
	Version  int64
}

// StopView is a stop with the name of where it was done.
type StopView struct {
	mandate.Stop
	WhereName string
}

// ActView is an act with the name of who did it.
type ActView struct {
	mandate.Act
	HelperName string
}

// Mandate returns a mandate of the actor's structure whose dossier is here. It
// fails with NotFound for any other, and when the person was forgotten. Reading
// is a consultation, and the journal says so.
func (n *Node) Mandate(ctx context.Context, by Actor, id mandate.ID) (MandateView, error) {
	var view MandateView
	err := n.db.Read(ctx, func(r *store.Reader) error {
		row, err := n.mandateOf(r, by, id)
		if err != nil {
			return err
		}
		view, err = n.mandateView(r, by, row)
		return err
	})
	if err == nil {
		err = n.noteReading(ctx, by, id)
	}
	if err != nil {
		return MandateView{}, err
	}
	return view, nil
}

// mandateOf reads a mandate of the actor's structure. What is another structure's
// is not said to exist.
func (n *Node) mandateOf(r *store.Reader, by Actor, id mandate.ID) (store.MandateRow, error) {
	if err := by.may(people.VerbSeeMandates); err != nil {
		return store.MandateRow{}, err
	}
	row, found, err := r.Mandate(id)
	if err == nil && (!found || row.Structure != by.Structure) {
		err = fault.Errorf(fault.NotFound, "Ce mandat n’est pas connu de votre structure sur ce relais.", "no mandate %s for %s", id, by.Structure)
	}
	return row, err
}

// openDossier opens what a mandate means. It fails with NotFound when the person
// was forgotten.
func (n *Node) openDossier(r *store.Reader, row store.MandateRow) (mandate.Dossier, error) {
	plain, err := n.openFor(r, row.Person, mandatePlace(row.ID, "content"), row.Content)
	if err != nil {
		return mandate.Dossier{}, fmt.Errorf("content of %s: %w", row.ID, err)
	}
	d, err := mandate.DecodeDossier(plain)
	if err != nil {
		return mandate.Dossier{}, fmt.Errorf("content of %s: %w", row.ID, err)
	}
	d.Mandate.Beneficiary.ID = row.Person
	d.Mandate.Paper = row.Paper
	return d, nil
}

func (n *Node) mandateView(r *store.Reader, by Actor, row store.MandateRow) (MandateView, error) {
	dossier, err := n.openDossier(r, row)
	if err != nil {
		return MandateView{}, err
	}
	facts, err := n.facts(r, by.Helper, row.ID)
	if err != nil {
		return MandateView{}, err
	}
	standing, _, err := r.Standing(row.ID)
	if err != nil {
		return MandateView{}, err
	}
	now := n.now()
	view := MandateView{
		Mandate: dossier.Mandate, StructureName: n.structureName(row.Structure),
		Articles: mandate.SplitText(dossier.Wording), State: mandate.StateOf(facts, now),
		OriginName: n.hubName(dossier.Hub), Published: standing.Published, Version: paperVersion(row.Paper),
	}
	view.EndedAt = facts.DoneAt()
	for _, l := range dossier.Mandate.Lines {
		view.LineVerdicts = append(view.LineVerdicts, mandate.Usable(facts, l.Number, now))
	}
	for _, s := range facts.Stops {
		view.Stops = append(view.Stops, StopView{s, n.hubName(s.Where)})
	}
	if view.Acts, err = n.acts(r, row); err != nil {
		return MandateView{}, err
	}
	if view.StillActive, err = n.stillActive(r, row.ID); err != nil {
		return MandateView{}, err
	}
	view.StopCode, err = n.shownStopCode(r, row, now)
	return view, err
}

// acts lists what was done here under a mandate.
func (n *Node) acts(r *store.Reader, row store.MandateRow) ([]ActView, error) {
	rows, err := r.Acts(row.ID, maxActs)
	if err != nil {
		return nil, err
	}
	views := make([]ActView, len(rows))
	for i, t := range rows {
		name, err := n.helperName(t.Helper, t.HelperName)
		if err != nil {
			return nil, err
		}
		if t.Sealed != nil {
			note, err := n.openFor(r, row.Person, notePlace(t.ID), t.Sealed)
			if err != nil {
				return nil, fmt.Errorf("note of %s: %w", t.ID, err)
			}
			t.Note = string(note)
		}
		views[i] = ActView{t.Act, name.Full()}
	}
	return views, nil
}

// structureName is the roster's name of a structure.
func (n *Node) structureName(id territory.StructureID) string {
	if roster := n.Roster(); roster != nil {
		if s, found := roster.Structure(id); found {
			return s.Name
		}
	}
	return "structure inconnue"
}
