package node

import (
	"time"

	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// workOwner is the one hub that keeps what a structure has to do after a stop: the
// one that entered the mandate, while it is active and serves the structure; then
// the first of the roster that does. Every hub finds the same from the same
// roster. Zero: none serves it.
func workOwner(roster *territory.Roster, structure territory.StructureID, origin territory.HubID) (owner territory.HubID) {
	s, known := roster.Structure(structure)
	if !known {
		return owner
	}
	for _, hub := range roster.Hubs {
		if hub.State != territory.HubActive || !s.ServedBy(hub.ID) {
			continue
		}
		if hub.ID == origin {
			return origin
		}
		if owner.IsZero() {
			owner = hub.ID
		}
	}
	return owner
}

// settle makes the worklist of this hub say what the records say of a mandate made
// in Aidants Connect: what is stopped in the territory is to be stopped there, by
// hand, unless it is done, or over. At most one item of a mandate waits. Settled
// twice, it is settled once.
func (a *absorption) settle(n store.NoticeRow, s record.Standing) error {
	if n.Regime != record.AidantsConnect {
		return nil
	}
	kept, err := a.tx.WorkOf(n.Mandate)
	if err != nil {
		return err
	}
	waiting, done := splitWork(kept, n.Lines)
	left, ends := leftToStop(s, n.Lines, done), n.End.Add(mandate.MirrorTail)
	if workOwner(a.roster, n.Structure, n.Hub) != a.self || !a.tx.Now.Before(ends) {
		left = 0
	}
	lines := left
	if s.All {
		lines = 0 // as a stop says the whole
	}
	if waiting == nil && left == 0 || waiting != nil && left != 0 && waiting.Lines == lines {
		return nil
	}
	if err := a.tx.DropWaiting(n.Mandate); err != nil || left == 0 {
		return err
	}
	stops, err := a.tx.Revocations(n.Mandate)
	if err != nil {
		return err
	}
	at := stoppedFrom(stops, left, n.Start, a.tx.Now)
	return a.tx.PutWork(store.WorkRow{
		ID: id.Random[store.WorkID](), Mandate: n.Mandate, Structure: n.Structure, Lines: lines,
		Stopped: at, Due: workDue(at, people.Zone(a.roster.Zone)), Ends: ends,
	})
}

// splitWork returns the item of a mandate that waits, nil for none, and the lines,
// of so many, that were stopped in Aidants Connect.
func splitWork(kept []store.WorkRow, lines uint8) (waiting *store.WorkRow, done uint32) {
	for i, w := range kept {
		switch {
		case w.Done.IsZero():
			waiting = &kept[i]
		case w.Lines == 0:
			done = mandate.AllLines(lines)
		default:
			done |= w.Lines
		}
	}
	return waiting, done
}

// leftToStop are the lines, of so many, that are stopped here and not there.
func leftToStop(s record.Standing, lines uint8, done uint32) uint32 {
	stopped := s.Lines
	if s.All {
		stopped = ^uint32(0)
	}
	return stopped & mandate.AllLines(lines) &^ done
}

// stoppedFrom is when the first of the lines was stopped, as its author says: the
// moment that the receipt counts from too. Nobody's word moves it before the
// mandate, nor after it was heard. now stands for a structure's close.
func stoppedFrom(stops []store.RevocationRow, lines uint32, start, now time.Time) time.Time {
	first := now
	for _, v := range stops {
		if v.Bar != "" || v.Lines != 0 && v.Code == nil && v.Lines&lines == 0 {
			continue
		}
		at := v.Claimed
		if at.Before(start) || at.After(v.Received) {
			at = v.Received
		}
		if at.Before(first) {
			first = at
		}
	}
	return first
}

// workDue is until when the structure has to stop in Aidants Connect what was
// stopped here.
func workDue(stopped time.Time, zone *time.Location) time.Time {
	return people.WorkingDays(stopped, mandate.WorkingDaysToStop, zone)
}

// takeOver follows a new roster: what this hub is to keep from now on is made here,
// what another keeps is let go.
func (a *absorption) takeOver() error {
	var notices []store.NoticeRow
	for _, s := range a.roster.Structures {
		if !s.ServedBy(a.self) {
			continue
		}
		stopped, err := a.tx.StoppedMirrors(s.ID, a.tx.Now.Add(-mandate.MirrorTail))
		if err != nil {
			return err
		}
		notices = append(notices, stopped...)
	}
	waiting, err := a.tx.WaitingMandates()
	if err != nil {
		return err
	}
	for _, m := range waiting {
		of, err := a.tx.Notices(m)
		if err != nil {
			return err
		}
		if len(of) == 0 { // the roster silenced who made it
			if err := a.tx.DropWaiting(m); err != nil {
				return err
			}
		}
		notices = append(notices, of...)
	}
	for _, n := range notices {
		if err := a.settle(n, record.Standing{All: n.AllStopped, Lines: n.Stopped}); err != nil {
			return err
		}
	}
	return nil
}
