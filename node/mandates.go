package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// maxPage bounds a page of mandates, and maxActs the acts shown with one.
const (
	maxPage = 100
	maxActs = 500
)

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

// MandateFilter narrows a list.
type MandateFilter struct {
	State mandate.State // "" for all
	After mandate.ID    // zero for the first page; else the last row seen
	Limit int           // at most 100
}

// MandateRow is a line of a list.
type MandateRow struct {
	ID         mandate.ID
	PersonName string
	Services   []string
	Start, End time.Time
	State      mandate.State
	Stop       *StopView // the first, when stopped
	PaperDone  bool
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
	view.StopCode, err = n.shownStopCode(r, row, now)
	return view, err
}

// paperVersion changes each time the paper's state does.
func paperVersion(p mandate.Paper) int64 {
	version := int64(1)
	if !p.PrintedAt.IsZero() {
		version++
	}
	if p.Complete() {
		version++
	}
	return version
}

// shownStopCode opens the stop code while the person's copy is still to be
// printed; nil afterwards.
func (n *Node) shownStopCode(r *store.Reader, row store.MandateRow, now time.Time) (*record.StopCode, error) {
	if row.StopCode == nil || row.Paper.Complete() || !now.Before(row.End) {
		return nil, nil
	}
	plain, err := n.openFor(r, row.Person, mandatePlace(row.ID, "stop_code"), row.StopCode)
	if err != nil {
		return nil, fmt.Errorf("stop code of %s: %w", row.ID, err)
	}
	code := record.StopCode(plain)
	return &code, nil
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

// Mandates lists those of the actor's structure, newest first. With a state it
// reads on until the page is full of it or the list ends.
func (n *Node) Mandates(ctx context.Context, by Actor, f MandateFilter) ([]MandateRow, error) {
	if err := by.may(people.VerbSeeMandates); err != nil {
		return nil, err
	}
	limit := min(max(f.Limit, 1), maxPage)
	var page []MandateRow
	err := n.db.Read(ctx, func(r *store.Reader) error {
		after, start, err := n.pageStart(r, by, f.After)
		for err == nil && len(page) < limit {
			var rows []store.MandateRow
			if rows, err = r.MandatesBefore(by.Structure, start, after, limit); err != nil || len(rows) == 0 {
				break
			}
			last := rows[len(rows)-1]
			after, start = last.ID, last.Start
			page, err = n.appendMandates(r, by, page, rows, f.State, limit)
			if err == nil {
				err = ctx.Err()
			}
		}
		return err
	})
	return page, err
}

// pageStart is the place of the last row the caller saw.
func (n *Node) pageStart(r *store.Reader, by Actor, after mandate.ID) (mandate.ID, time.Time, error) {
	if after.IsZero() {
		return after, time.Time{}, nil
	}
	row, err := n.mandateOf(r, by, after)
	return after, row.Start, err
}

func (n *Node) appendMandates(r *store.Reader, by Actor, page []MandateRow, rows []store.MandateRow, want mandate.State, limit int) ([]MandateRow, error) {
	now := n.now()
	for _, row := range rows {
		if len(page) == limit {
			break
		}
		facts, err := n.facts(r, by.Helper, row.ID)
		if err != nil {
			return nil, err
		}
		state := mandate.StateOf(facts, now)
		if want != "" && state != want {
			continue
		}
		line, err := n.mandateRow(r, row, facts)
		if err != nil {
			return nil, err
		}
		line.State = state
		page = append(page, line)
	}
	return page, nil
}

// forgottenName stands for somebody whose key was destroyed.
const forgottenName = "Personne effacée"

func (n *Node) mandateRow(r *store.Reader, row store.MandateRow, facts mandate.Facts) (MandateRow, error) {
	line := MandateRow{ID: row.ID, Start: row.Start, End: row.End, PaperDone: row.Paper.Complete()}
	if stop := facts.FirstStop(); stop != nil {
		line.Stop = &StopView{*stop, n.hubName(stop.Where)}
	}
	dossier, err := n.openDossier(r, row)
	if fault.Is(err, fault.NotFound) {
		line.PersonName = forgottenName
		return line, nil
	}
	if err != nil {
		return MandateRow{}, err
	}
	line.PersonName = dossier.Mandate.Beneficiary.Name.Full()
	for _, l := range dossier.Mandate.Lines {
		line.Services = append(line.Services, l.Service)
	}
	return line, nil
}

// MarkPrinted notes the first printing. Printing again is no error.
func (n *Node) MarkPrinted(ctx context.Context, by Actor, id mandate.ID) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := n.mandateOf(tx.Reader, by, id); err != nil {
			return err
		}
		marked, err := tx.MarkPrinted(id)
		if err != nil || !marked {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindMandatePrint, Actor: by.Helper.String(), Subject: id.String()})
	})
}

// ConfirmPaper notes that both copies are signed and one was handed over, and
// forgets the stop code. Both must be true: Invalid on "signed" or "handed"
// otherwise. Confirming twice is no error.
//
// A dossier is immutable and says nothing of paper, so each hub asks: a helper at
// another hub that serves the structure confirms there that she has the signed
// copy before her, and its own journal says who and where.
func (n *Node) ConfirmPaper(ctx context.Context, by Actor, id mandate.ID, signed, handed bool) error {
	switch {
	case !signed:
		return fault.Errorf(fault.Invalid, "Les deux exemplaires doivent être signés avant la première démarche.", "copies not signed").On("signed")
	case !handed:
		return fault.Errorf(fault.Invalid, "Un exemplaire signé doit être remis à la personne avant la première démarche.", "copy not handed over").On("handed")
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		row, err := n.mandateOf(tx.Reader, by, id)
		if err != nil || row.Paper.Complete() {
			return err
		}
		if err := n.working(tx.Reader, by); err != nil {
			return err
		}
		facts, err := n.facts(tx.Reader, by.Helper, id)
		if err != nil {
			return err
		}
		if state := mandate.StateOf(facts, tx.Now); state != mandate.StateAwaitingPaper {
			return n.refusal(mandate.Usable(facts, 1, tx.Now), facts, 1, tx.Now)
		}
		if _, err := tx.ConfirmPaper(id); err != nil {
			return err
		}
		return n.note(tx, entry{
			Kind: journal.KindMandatePaper, Actor: by.Helper.String(), Subject: id.String(),
			Public: map[string]any{"hub": n.self.String(), "structure": row.Structure.String()},
		})
	})
}
