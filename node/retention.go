package node

import (
	"context"
	"fmt"
	"slices"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/territory"
)

const (
	// RetentionMonths is how long a person is kept after the last of her mandates
	// ended unless the hub is told otherwise: the mandate is kept for six years
	// from its end (conditions générales d'utilisation d'Aidants Connect, 7.1).
	RetentionMonths = 72
	// MinRetentionMonths is the shortest that may be asked: the year after which
	// the mediators' own tool, la Coop, erases. MaxRetentionMonths bounds a slip.
	MinRetentionMonths, MaxRetentionMonths = 12, 120
	// maxRetired bounds the people forgotten by one run of the job.
	maxRetired = 50
)

// ForgetRetired forgets whoever has been kept for long enough: her last mandate ended,
// and her last visit, more than months before now. It never does while something of
// hers is in force. Each hub counts for what it holds, whoever made the mandate, so
// that nothing outlasts its term because a hub is away; those that hold what this
// hub made are asked to forget it too. It returns how many people were forgotten.
// It is run by a job, and safe to cut and to repeat.
func (n *Node) ForgetRetired(ctx context.Context, months int) (people int, err error) {
	if months < MinRetentionMonths { // a setting that was never read must not erase
		return 0, fmt.Errorf("retention of %d months; at least %d", months, MinRetentionMonths)
	}
	before := n.now().AddDate(0, -months, 0)
	var due []heldFile
	err = n.db.Read(ctx, func(r *store.Reader) (err error) { due, err = n.retired(r, before); return err })
	if err != nil {
		return 0, fmt.Errorf("look for whom to forget: %w", err)
	}
	for _, held := range due {
		err := n.db.Write(ctx, func(tx *store.Tx) error {
			if back, err := n.cameBack(tx, held, before); err != nil || back {
				return err
			}
			people++
			f := forgetting{id: id.Random[ForgettingID](), actor: actorMachine, holders: held.holders}
			return n.erase(tx, f, held.all)
		})
		if err != nil {
			return people, fmt.Errorf("forget who was kept long enough: %w", err)
		}
	}
	if people > 0 {
		n.tellForget()
	}
	return people, nil
}

// cameBack tells whether a person whose file was looked at has a new mandate or a
// visit since.
func (n *Node) cameBack(tx *store.Tx, held heldFile, before time.Time) (bool, error) {
	newer, _, err := tx.MandatesKept(held.structure, held.last)
	if err != nil {
		return false, err
	}
	if more, err := n.sameAs(tx.Reader, held.person, newer); err != nil || len(more) > 0 {
		return true, err
	}
	return isNeeded(n.visitNeeded(tx.Reader, held, before))
}

// retired looks for people of whom nothing is later than before.
func (n *Node) retired(r *store.Reader, before time.Time) (due []heldFile, err error) {
	structures, err := r.KeepingStructures(before)
	if err != nil {
		return nil, err
	}
	for _, s := range structures {
		files, err := n.filesOf(r, s)
		if err != nil {
			return nil, err
		}
		for _, held := range files {
			if len(due) == maxRetired {
				return due, nil
			}
			kept, err := n.keptFor(r, held, before)
			if err != nil {
				return nil, err
			}
			if kept {
				continue
			}
			if held.holders, err = n.holdersSince(r, s, held.first()); err != nil {
				return nil, err
			}
			due = append(due, held)
		}
	}
	return due, nil
}

// filesOf gathers a structure's people: one file for each name and birth.
func (n *Node) filesOf(r *store.Reader, s territory.StructureID) (files []heldFile, err error) {
	rows, last, err := r.MandatesKept(s, 0)
	if err != nil {
		return nil, err
	}
	born := map[string][]int{} // where the files of those born on a day are
	for _, row := range rows {
		d, err := n.openDossier(r, row)
		if err != nil {
			return nil, err
		}
		who := d.Mandate.Beneficiary
		met := born[who.BirthDate]
		at := slices.IndexFunc(met, func(i int) bool { return samePerson(files[i].person.Name, who.Name) })
		if at < 0 {
			at, met = len(met), append(met, len(files))
			born[who.BirthDate] = met
			files = append(files, heldFile{structure: s, person: who, last: last})
		}
		f, err := n.filed(r, row)
		if err != nil {
			return nil, err
		}
		files[met[at]].all = append(files[met[at]].all, f)
	}
	return files, nil
}

// first is when the first of her mandates started.
func (h heldFile) first() time.Time {
	first := h.all[0].Start
	for _, f := range h.all {
		if f.Start.Before(first) {
			first = f.Start
		}
	}
	return first
}

// keptFor tells whether something of a person is later than before, or in force. A
// visit that nobody ever closed is as old as its beginning.
func (n *Node) keptFor(r *store.Reader, held heldFile, before time.Time) (bool, error) {
	for _, f := range held.all {
		last, err := n.lastOf(r, f)
		if err != nil || last.After(before) {
			return true, err
		}
		if needed, err := isNeeded(n.mandateNeeded(r, f.MandateRow, n.now())); err != nil || needed {
			return true, err
		}
	}
	return isNeeded(n.visitNeeded(r, held, before))
}

// isNeeded tells a refusal to forget from a failure.
func isNeeded(err error) (bool, error) {
	if fault.Is(err, fault.Conflict) {
		return true, nil
	}
	return false, err
}

// lastOf is the latest of what happened with a mandate: its end, which a stop
// brings forward, and the end of the visit that led to it.
func (n *Node) lastOf(r *store.Reader, f filed) (time.Time, error) {
	facts, err := n.facts(r, people.HelperID{}, f.ID)
	if err != nil {
		return time.Time{}, err
	}
	last := f.End
	switch mandate.StateOf(facts, n.now()) {
	case mandate.StateStopped, mandate.StateDone:
		last = lastStop(facts, f.End)
	}
	if f.Accompaniment.IsZero() {
		return last, nil
	}
	visit, _, err := r.Accompaniment(f.Accompaniment)
	if visit.ClosedAt.After(last) {
		last = visit.ClosedAt
	}
	return last, err
}

// lastStop is when a mandate that is stopped was last stopped, its end at most.
// Without a stop, as of a structure that was closed, it is the end.
func lastStop(facts mandate.Facts, end time.Time) time.Time {
	var last time.Time
	for _, s := range facts.Stops {
		if s.ReceivedAt.After(last) {
			last = s.ReceivedAt
		}
	}
	if last.IsZero() || last.After(end) {
		return end
	}
	return last
}
