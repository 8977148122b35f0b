package node

import (
	"context"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

// maxPage bounds a page of mandates.
const maxPage = 100

// MandateFilter narrows a list.
type MandateFilter struct {
	State mandate.State // "" for all
	After mandate.ID    // zero for the first page; else the last row seen
	Limit int           // at most 100
}

// MandateRow is a line of a list.
type MandateRow struct {
	ID         mandate.ID
	Mirror     bool // of one made in Aidants Connect
	PersonName string
	Services   []string
	Start, End time.Time
	State      mandate.State
	Stop       *StopView // the first, when stopped
	PaperDone  bool
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
	line := MandateRow{ID: row.ID, Mirror: row.Regime == record.AidantsConnect, Start: row.Start, End: row.End, PaperDone: row.Paper.Complete()}
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
