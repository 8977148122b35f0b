package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
)

// maxForgettings bounds the mandates of a list of forgettings.
const maxForgettings = 300

// Forgetting is what became of a decision to forget somebody. It names nobody.
type Forgetting struct {
	ID       ForgettingID
	At       time.Time
	Mandates []ForgottenMandate
	// Hubs are those that were asked to forget too; none where nobody else ever
	// served the structure, or another hub was to ask.
	Hubs []ForgetHub
}

// ForgottenMandate is a mandate whose person is forgotten.
type ForgottenMandate struct {
	ID         mandate.ID
	Start, End time.Time // zero when its notice is not here any more
}

// ForgetHub is a hub that was asked to forget.
type ForgetHub struct {
	Name string
	// Confirmed is when it had forgotten all that it was asked to; zero: not yet.
	Confirmed time.Time
	// Expelled is that it will never say so: it was put out of the territory.
	Expelled bool
}

// Confirmed counts the hubs that forgot.
func (f Forgetting) Confirmed() int {
	n := 0
	for _, hub := range f.Hubs {
		if !hub.Confirmed.IsZero() {
			n++
		}
	}
	return n
}

// Forgettings lists what was forgotten by decisions on this hub, of people or of
// time, for the actor's structure, the latest first.
func (n *Node) Forgettings(ctx context.Context, by Actor) (list []Forgetting, err error) {
	if err := by.may(people.VerbForget); err != nil {
		return nil, err
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.ForgottenOf(by.Structure, maxForgettings)
		for len(rows) > 0 && err == nil {
			end := slices.IndexFunc(rows, func(f store.ForgottenRow) bool { return f.Forgetting != rows[0].Forgetting })
			if end < 0 {
				end = len(rows)
			}
			var f Forgetting
			f, err = n.forgettingView(r, rows[:end])
			list, rows = append(list, f), rows[end:]
		}
		return err
	})
	return list, err
}

// Forgetting returns one of them; NotFound for any that is not of the actor's
// structure.
func (n *Node) Forgetting(ctx context.Context, by Actor, id ForgettingID) (f Forgetting, err error) {
	if err := by.may(people.VerbForget); err != nil {
		return f, err
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.ForgottenIn(id)
		if err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].Structure != by.Structure || !rows[0].Source.IsZero() {
			return fault.Errorf(fault.NotFound, "Cet effacement n’est pas connu de votre structure sur ce relais.", "no forgetting %s for %s", id, by.Structure)
		}
		f, err = n.forgettingView(r, rows)
		return err
	})
	if err != nil {
		return Forgetting{}, fmt.Errorf("forgetting %s: %w", id, err)
	}
	return f, nil
}

func (n *Node) forgettingView(r *store.Reader, rows []store.ForgottenRow) (Forgetting, error) {
	f := Forgetting{ID: rows[0].Forgetting, At: rows[0].At}
	said := map[territory.HubID]time.Time{} // the latest word of each; zero: something is awaited
	var order []territory.HubID
	for _, row := range rows {
		m := ForgottenMandate{ID: row.Mandate}
		if notices, err := r.Notices(row.Mandate); err != nil {
			return f, err
		} else if len(notices) > 0 {
			m.Start, m.End = notices[0].Start, notices[0].End
		}
		f.Mandates = append(f.Mandates, m)
		asked, err := r.ForgetsOf(row.Mandate)
		if err != nil {
			return f, err
		}
		for _, a := range asked {
			before, met := said[a.Hub]
			switch {
			case !met:
				order = append(order, a.Hub)
				said[a.Hub] = a.Confirmed
			case a.Confirmed.IsZero(), !before.IsZero() && a.Confirmed.After(before):
				said[a.Hub] = a.Confirmed
			}
		}
	}
	for _, hub := range order {
		f.Hubs = append(f.Hubs, ForgetHub{Name: n.hubName(hub), Confirmed: said[hub], Expelled: n.expelled(hub)})
	}
	return f, nil
}

// expelled tells whether the roster says so of a hub.
func (n *Node) expelled(hub territory.HubID) bool {
	roster := n.Roster()
	if roster == nil {
		return false
	}
	entry, known := roster.Hub(hub)
	return known && entry.State == territory.HubExpelled
}
