package webui

import (
	"context"
	"net/http"
	"slices"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/webui/page"
)

const (
	visitsShown   = 100
	remindersRead = 100 // counts stop there: "100 et plus"
	endingWithin  = 30  // days
)

func (s *Server) today(w http.ResponseWriter, r *http.Request, by node.Actor) error {
	ctx := r.Context()
	visits, err := s.node.Today(ctx, by, visitsShown)
	if err != nil {
		return err
	}
	reminders, err := s.reminders(ctx, by)
	if err != nil {
		return err
	}
	view, err := s.node.Territory(ctx)
	if err != nil {
		return err
	}
	p := &page.Today{Base: deskBase("Aujourd’hui", "today"), Visits: visits, Reminders: reminders, Hubs: view.Hubs, National: view.Freshness.National}
	p.HasNational = view.Roster != nil && view.Roster.National != nil
	return s.render(w, r, http.StatusOK, p)
}

// reminders counts what waits for a helper of the structure.
func (s *Server) reminders(ctx context.Context, by node.Actor) (page.Reminders, error) {
	toSign, err := s.node.Mandates(ctx, by, node.MandateFilter{State: mandate.StateAwaitingPaper, Limit: remindersRead})
	if err != nil {
		return page.Reminders{}, err
	}
	ending, err := s.ending(ctx, by)
	if err != nil {
		return page.Reminders{}, err
	}
	toStop, late, err := s.node.WorkCount(ctx, by, remindersRead)
	return page.Reminders{ToSign: len(toSign), Ending: len(ending), ToStop: toStop, Late: late, Limit: remindersRead}, err
}

// ending are the active mandates that end within 30 days: what is counted here is
// what the list shows.
func (s *Server) ending(ctx context.Context, by node.Actor) ([]node.MandateRow, error) {
	active, err := s.node.Mandates(ctx, by, node.MandateFilter{State: mandate.StateActive, Limit: remindersRead})
	last := s.now().Add(endingWithin * 24 * time.Hour)
	return slices.DeleteFunc(active, func(row node.MandateRow) bool { return !row.End.Before(last) }), err
}
