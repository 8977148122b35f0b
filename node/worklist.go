package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
)

const (
	// MaxWork bounds a worklist shown: more is not a list any more.
	MaxWork = 200
	// workRemembered is how long what was done stays on the list, so that a note
	// made by mistake is seen and taken back.
	workRemembered = 14 * 24 * time.Hour
	maxWorkDone    = 20
)

// WorkID names an item of the worklist.
type WorkID = store.WorkID

// WorkItem is a mandate, or lines of it, stopped here and still active in Aidants
// Connect: the interface there being for people, one of them stops it by hand.
type WorkItem struct {
	ID      WorkID
	Mandate mandate.ID
	Made    time.Time       // the day the mandate was made
	Scopes  []mandate.Scope // to be stopped; empty: the whole mandate
	Stopped time.Time
	Stop    *StopView // the first stop, to say where; nil when the structure was closed
	Due     time.Time
	// Owner is who entered the mandate, while she works here; empty: the whole team.
	Owner   string
	Done    time.Time // the day it was stopped there; zero: not yet
	Noted   time.Time
	NotedBy string
}

// Late tells whether the item should have been done before now.
func (w WorkItem) Late(now time.Time) bool { return w.Done.IsZero() && now.After(w.Due) }

// WorkGroup is what is to be done for one person.
type WorkGroup struct {
	Person *people.Beneficiary // nil when her dossier is not here, or she was forgotten
	Items  []WorkItem          // the oldest stop first
}

// Worklist is what a structure has to stop in Aidants Connect.
type Worklist struct {
	Waiting []WorkGroup // the oldest stop first
	Done    []WorkGroup // lately, the latest first; an item each
}

// Worklist returns what the actor's structure has to stop in Aidants Connect, as
// this hub keeps it. Another hub may keep it for the same structure: see
// StillActive.
func (n *Node) Worklist(ctx context.Context, by Actor) (list Worklist, err error) {
	if err := by.may(people.VerbSeeMandates); err != nil {
		return list, err
	}
	now := n.now()
	err = n.db.Read(ctx, func(r *store.Reader) error {
		waiting, err := r.WaitingWork(by.Structure, now, MaxWork)
		if err != nil {
			return err
		}
		for _, row := range waiting {
			item, person, err := n.workItem(r, row)
			if err != nil {
				return err
			}
			list.Waiting = grouped(list.Waiting, item, person)
		}
		done, err := r.DoneWork(by.Structure, now.Add(-workRemembered), maxWorkDone)
		if err != nil {
			return err
		}
		for _, row := range done {
			item, person, err := n.workItem(r, row)
			if err != nil {
				return err
			}
			list.Done = append(list.Done, WorkGroup{person, []WorkItem{item}})
		}
		return nil
	})
	return list, err
}

// WorkCount counts what waits for the actor's structure, at most limit, and what of
// it is late.
func (n *Node) WorkCount(ctx context.Context, by Actor, limit int) (waiting, late int, err error) {
	if err := by.may(people.VerbSeeMandates); err != nil {
		return 0, 0, err
	}
	now := n.now()
	err = n.db.ReadOne(ctx, func(r *store.Reader) error {
		rows, err := r.WaitingWork(by.Structure, now, limit)
		waiting = len(rows)
		for _, row := range rows {
			if now.After(row.Due) {
				late++
			}
		}
		return err
	})
	return waiting, late, err
}

// grouped adds an item to the group of its person: the same name and birth are one,
// whatever mandates they come from. A person who is not known here is alone.
func grouped(groups []WorkGroup, item WorkItem, person *people.Beneficiary) []WorkGroup {
	if person != nil {
		i := slices.IndexFunc(groups, func(g WorkGroup) bool {
			return g.Person != nil && samePerson(g.Person.Name, person.Name) && g.Person.BirthDate == person.BirthDate
		})
		if i >= 0 {
			groups[i].Items = append(groups[i].Items, item)
			return groups
		}
	}
	return append(groups, WorkGroup{person, []WorkItem{item}})
}

func (n *Node) workItem(r *store.Reader, row store.WorkRow) (WorkItem, *people.Beneficiary, error) {
	item := WorkItem{
		ID: row.ID, Mandate: row.Mandate, Stopped: row.Stopped, Due: row.Due, Done: row.Done, Noted: row.Noted,
	}
	stops, err := n.stopViews(r, row.Mandate)
	if err != nil {
		return item, nil, err
	}
	if i := slices.IndexFunc(stops, func(s StopView) bool { return s.Channel != record.ChannelSystem }); i >= 0 {
		item.Stop = &stops[i]
	}
	if !row.Noted.IsZero() {
		if item.NotedBy, err = n.accountName(r, row.NotedBy); err != nil {
			return item, nil, err
		}
	}
	held, found, err := r.Mandate(row.Mandate)
	if err != nil || !found {
		return item, nil, err
	}
	item.Made = held.Start
	for i, scope := range held.Scopes {
		if row.Lines&mandate.Bits(uint8(i+1)) != 0 {
			item.Scopes = append(item.Scopes, scope)
		}
	}
	d, err := n.openDossier(r, held)
	if fault.Is(err, fault.NotFound) {
		return item, nil, nil
	}
	if err != nil {
		return item, nil, err
	}
	item.Owner, err = n.worksHere(r, d.Mandate)
	return item, &d.Mandate.Beneficiary, err
}

// worksHere is the name of who entered a mandate, empty when she does not work for
// the structure on this hub, or no longer.
func (n *Node) worksHere(r *store.Reader, m mandate.Mandate) (string, error) {
	account, found, err := r.Helper(m.Helper)
	if err != nil || !found || account.Structure != m.Structure {
		return "", err
	}
	if suspended, err := n.suspended(r, account); err != nil || suspended {
		return "", err
	}
	name, err := n.helperName(account.ID, account.Name)
	return name.Full(), err
}

func (n *Node) accountName(r *store.Reader, helper people.HelperID) (string, error) {
	account, found, err := r.Helper(helper)
	if err != nil || !found {
		return "", err
	}
	name, err := n.helperName(account.ID, account.Name)
	return name.Full(), err
}

// NoteWorkDone notes, on a helper's word, that items were stopped in Aidants Connect
// on a day. Noting twice is no error. It fails with Invalid on "done" for a day
// that is none, to come, or before the stop, Invalid on "items" for no item, and
// Stale when an item is not on the structure's list any more: it was replaced by
// one that says more.
func (n *Node) NoteWorkDone(ctx context.Context, by Actor, items []WorkID, day string) error {
	if err := by.may(people.VerbStop); err != nil {
		return err
	}
	if len(items) == 0 || len(items) > MaxWork {
		return fault.Errorf(fault.Invalid, "Cochez ce qui est arrêté dans Aidants Connect.", "%d items", len(items)).On("items")
	}
	done, err := n.parseWorkDay(day)
	if err != nil {
		return err
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if err := n.working(tx.Reader, by); err != nil {
			return err
		}
		for _, item := range items {
			if err := n.noteWorkDone(tx, by, item, done); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what was done in Aidants Connect: %w", err)
	}
	return nil
}

// parseWorkDay reads a day that has begun, as the midnight of the territory's zone.
func (n *Node) parseWorkDay(day string) (time.Time, error) {
	d, err := people.ParseDate(day)
	if err == nil && d.Day == 0 {
		err = errors.New("no day of the month")
	}
	if err != nil {
		return time.Time{}, fault.New(fault.Invalid, "Écrivez le jour ainsi\u00a0: 12/03/2026.", err).On("done")
	}
	done := time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, n.zone())
	if done.After(n.now()) {
		return time.Time{}, fault.Errorf(fault.Invalid, "Ce jour n’est pas encore là.", "done after today").On("done")
	}
	return done, nil
}

func (n *Node) noteWorkDone(tx *store.Tx, by Actor, item WorkID, done time.Time) error {
	row, err := workOf(tx.Reader, by, item)
	if err != nil || !row.Done.IsZero() {
		return err
	}
	if done.Before(people.Midnight(row.Stopped, n.zone())) {
		return fault.Errorf(fault.Invalid, "Ce jour est avant l’arrêt\u00a0: vérifiez la date.", "done before the stop").On("done")
	}
	if _, err := tx.NoteWork(item, done, by.Helper); err != nil {
		return err
	}
	return n.noteWork(tx, journal.KindWorkDone, by, row, map[string]any{"day": done.UnixMilli()})
}

// ReopenWork takes back that an item was done: it waits again, with the deadline
// that it had. It fails with Stale as NoteWorkDone does.
func (n *Node) ReopenWork(ctx context.Context, by Actor, item WorkID) error {
	if err := by.may(people.VerbStop); err != nil {
		return err
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		if err := n.working(tx.Reader, by); err != nil {
			return err
		}
		row, err := workOf(tx.Reader, by, item)
		if err != nil || row.Done.IsZero() {
			return err
		}
		if err := tx.DropWork(item); err != nil {
			return err
		}
		notices, err := tx.Notices(row.Mandate)
		if err != nil {
			return err
		}
		a := n.absorbing(tx, n.Roster())
		for _, notice := range notices {
			if err := a.settle(notice, record.Standing{All: notice.AllStopped, Lines: notice.Stopped}); err != nil {
				return err
			}
		}
		return n.noteWork(tx, journal.KindWorkReopen, by, row, map[string]any{})
	})
	if err != nil {
		return fmt.Errorf("reopen %s: %w", item, err)
	}
	return nil
}

// workOf reads an item of the actor's structure. What is another structure's is not
// said to exist.
func workOf(r *store.Reader, by Actor, item WorkID) (store.WorkRow, error) {
	row, found, err := r.Work(item)
	if err == nil && (!found || row.Structure != by.Structure) {
		err = fault.Errorf(fault.Stale, "La liste a changé entre-temps. Relisez-la avant de continuer.", "no item %s for %s", item, by.Structure)
	}
	return row, err
}

func (n *Node) noteWork(tx *store.Tx, kind journal.Kind, by Actor, row store.WorkRow, public map[string]any) error {
	public["item"], public["structure"], public["lines"] = row.ID.String(), row.Structure.String(), row.Lines
	return n.note(tx, entry{Kind: kind, Actor: by.Helper.String(), Subject: row.Mandate.String(), Public: public})
}

// StillActive is what a receipt and a refusal say of a mandate made in Aidants
// Connect once it, or a line of it, is stopped here.
type StillActive struct {
	Structure string // who is to stop it there
	Where     string // the site that keeps the list; empty: none serves the structure
	Due       time.Time
	// Done is the day on which it was stopped there, as the structure noted at this
	// hub; zero: not yet, or noted elsewhere.
	Done time.Time
}

// stillActive returns nil for a mandate that is not of Aidants Connect, not stopped
// at all, or over there by itself.
func (n *Node) stillActive(r *store.Reader, id mandate.ID) (*StillActive, error) {
	notices, err := r.Notices(id)
	if err != nil || len(notices) == 0 {
		return nil, err
	}
	of, roster, now := notices[0], n.Roster(), n.now()
	stopped := record.Standing{All: of.AllStopped, Lines: of.Stopped}
	if of.Regime != record.AidantsConnect || roster == nil || leftToStop(stopped, of.Lines, 0) == 0 || !now.Before(of.End.Add(mandate.MirrorTail)) {
		return nil, nil
	}
	still := &StillActive{Structure: n.structureName(of.Structure)}
	if owner := workOwner(roster, of.Structure, of.Hub); !owner.IsZero() {
		still.Where = n.hubName(owner)
	}
	kept, err := r.WorkOf(id)
	if err != nil {
		return nil, err
	}
	waiting, done := splitWork(kept, of.Lines)
	left := leftToStop(stopped, of.Lines, done)
	if left == 0 {
		still.Done = slices.MaxFunc(kept, func(a, b store.WorkRow) int { return a.Done.Compare(b.Done) }).Done
		return still, nil
	}
	if waiting != nil {
		still.Due = waiting.Due
		return still, nil
	}
	stops, err := r.Revocations(id)
	if err != nil {
		return nil, err
	}
	still.Due = workDue(stoppedFrom(stops, left, of.Start, now), n.zone())
	return still, nil
}

// allStillActive says it of several mandates, the same once.
func (n *Node) allStillActive(r *store.Reader, ids []mandate.ID) (all []StillActive, err error) {
	for _, id := range ids {
		still, err := n.stillActive(r, id)
		if err != nil {
			return nil, err
		}
		if still != nil && !slices.Contains(all, *still) {
			all = append(all, *still)
		}
	}
	return all, nil
}

// stillSentence is what a refusal adds: what is stopped here may go on there.
func stillSentence(still *StillActive) string {
	switch {
	case still == nil:
		return ""
	case !still.Done.IsZero():
		return "Il est arrêté aussi dans Aidants Connect. "
	}
	return "Il est encore actif dans Aidants Connect jusqu’à ce que votre structure l’y arrête\u00a0: ne l’y utilisez pas. "
}
