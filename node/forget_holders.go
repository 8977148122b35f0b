package node

import (
	"context"
	"fmt"
	"slices"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/territory"
)

const (
	// MaxForgets bounds the mandates that one message asks to forget.
	MaxForgets = 64
	// newcomerDays is for how long a hub that begins to serve a structure is asked
	// to forget what the structure forgot: its folder may be of a backup.
	newcomerDays = 366
)

// AwaitedForget is what a hub is to forget and has not confirmed.
type AwaitedForget struct {
	Hub      territory.HubID
	Mandates []mandate.ID // at most MaxForgets
}

// AwaitedForgets lists what other hubs are still to forget, of what this hub made.
// A hub that was expelled is not asked: nothing is said to it, nor believed. One
// that serves a structure since the forgetting is asked too: a third hub that was
// not told yet would give it the dossier, and its folder may be of a backup.
func (n *Node) AwaitedForgets(ctx context.Context) (awaited []AwaitedForget, err error) {
	roster := n.Roster()
	if roster == nil {
		return nil, nil
	}
	if err := n.askNewcomers(ctx, roster); err != nil {
		return nil, fmt.Errorf("ask hubs to forget: %w", err)
	}
	err = n.db.Read(ctx, func(r *store.Reader) error {
		for _, hub := range roster.Hubs {
			if hub.State != territory.HubActive || hub.ID == n.self {
				continue
			}
			ids, err := r.AwaitedForgets(hub.ID, MaxForgets)
			if err != nil {
				return err
			}
			if len(ids) > 0 {
				awaited = append(awaited, AwaitedForget{hub.ID, ids})
			}
		}
		return nil
	})
	return awaited, err
}

// askNewcomers adds the hubs that serve a structure since one of its mandates was
// forgotten. It looks once a roster.
func (n *Node) askNewcomers(ctx context.Context, roster *territory.Roster) (err error) {
	if n.newcomers.Swap(roster.Version) == roster.Version {
		return nil
	}
	defer func() {
		if err != nil {
			n.newcomers.Store(0)
		}
	}()
	var asked []store.ForgetRow
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.ForgottenLately(n.self, n.now().AddDate(0, 0, -newcomerDays), n.now())
		if err != nil {
			return err
		}
		for _, row := range rows {
			known, err := r.ForgetsOf(row.Mandate)
			if err != nil {
				return err
			}
			s, _ := roster.Structure(row.Structure)
			for _, hub := range s.Serving {
				if hub != n.self && !slices.ContainsFunc(known, func(f store.ForgetRow) bool { return f.Hub == hub }) {
					asked = append(asked, store.ForgetRow{Mandate: row.Mandate, Hub: hub})
				}
			}
		}
		return nil
	})
	if err != nil || len(asked) == 0 {
		return err
	}
	return n.db.Write(ctx, func(tx *store.Tx) error {
		for _, f := range asked {
			if err := tx.AskForget(f.Mandate, f.Hub); err != nil {
				return err
			}
			if err := n.note(tx, entry{Kind: journal.KindForgetAsk, Actor: actorMachine, Subject: f.Mandate.String(), Public: map[string]any{"hub": f.Hub.String()}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// TakeForget forgets what the hub that made it asks to forget, and returns what is
// forgotten here from now on, or was already: its dossiers are refused, whoever
// offers them. What is still in force here, or still to be stopped in Aidants
// Connect from here, and what this hub has not heard of, is left out: it is asked
// again. It is Forbidden, and nothing is forgotten, when one of them was made by
// another hub.
func (n *Node) TakeForget(ctx context.Context, ids []mandate.ID, from territory.HubID) (done []mandate.ID, err error) {
	if len(ids) > MaxForgets {
		return nil, fault.Errorf(fault.Invalid, "Trop de mandats à la fois.", "%d mandates to forget; at most %d", len(ids), MaxForgets)
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		done = nil
		f := forgetting{id: id.Random[ForgettingID](), actor: from.String(), source: from}
		for _, m := range ids {
			gone, err := n.takeForget(tx, f, m)
			if err != nil {
				return err
			}
			if gone {
				done = append(done, m)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("forget for %s: %w", from, err)
	}
	return done, nil
}

// takeForget tells whether a mandate's person is forgotten here, now or before.
func (n *Node) takeForget(tx *store.Tx, f forgetting, m mandate.ID) (gone bool, err error) {
	notices, err := tx.Notices(m)
	if err != nil || len(notices) == 0 {
		return false, err
	}
	if len(notices) > 1 { // either could be the impostor's
		return false, nil
	}
	notice := notices[0]
	if notice.Hub != f.source {
		return false, fault.Errorf(fault.Forbidden, "Seul le relais qui a établi un mandat peut le faire effacer.",
			"%s asks to forget %s, which %s made", f.source, m, notice.Hub)
	}
	if _, found, err := tx.Forgotten(m); err != nil || found {
		return found, err
	}
	row, found, err := tx.Mandate(m)
	if err != nil {
		return false, err
	}
	if !found {
		row = store.MandateRow{ID: m, Structure: notice.Structure, End: notice.End}
	}
	if needed, err := isNeeded(n.mandateNeeded(tx.Reader, row, tx.Now)); err != nil || needed {
		return false, err
	}
	return true, n.erase(tx, f, []filed{{MandateRow: row, origin: notice.Hub}})
}

// ForgetConfirmed notes that a hub forgot what it was asked to. What it was not
// asked, and what it said before, is no error.
func (n *Node) ForgetConfirmed(ctx context.Context, hub territory.HubID, ids []mandate.ID) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		for _, m := range ids {
			noted, err := tx.ConfirmForget(m, hub)
			if err != nil {
				return err
			}
			if !noted {
				continue
			}
			if err := n.note(tx, entry{Kind: journal.KindForgetDone, Actor: hub.String(), Subject: m.String()}); err != nil {
				return err
			}
		}
		return nil
	})
}
