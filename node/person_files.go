package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/territory"
)

// PersonFile is all that a structure keeps of one person on this hub: the mandates
// whose dossier has her name and her birth.
type PersonFile struct {
	Person   people.Beneficiary
	Mandates []FiledMandate // the newest first
	// Refusal is why she cannot be forgotten now and what to do, in French; empty:
	// nothing stands in the way.
	Refusal string
	// OpenVisit is a visit of hers to be closed first; zero: none.
	OpenVisit mediation.AccompanimentID
	// Hubs are asked to forget her too, by name.
	Hubs []string
	// Seen is the hash of what would be forgotten, so that nobody confirms
	// something else than what was on the screen.
	Seen [32]byte
}

// FiledMandate is one of her mandates.
type FiledMandate struct {
	ID         mandate.ID
	Start, End time.Time
	State      mandate.State
	OriginName string
	// Elsewhere is that another hub made it and is there to forget it: that one
	// tells every holder, and only that one is believed.
	Elsewhere bool
}

// PersonFile returns what would be forgotten with the person of a mandate of the
// actor's structure. It fails with Forbidden for who is no référent, NotFound when
// the mandate is not the structure's or its person was forgotten. It is a
// consultation.
func (n *Node) PersonFile(ctx context.Context, by Actor, id mandate.ID) (PersonFile, error) {
	if err := by.may(people.VerbForget); err != nil {
		return PersonFile{}, err
	}
	var file PersonFile
	err := n.db.Read(ctx, func(r *store.Reader) error {
		held, err := n.gather(r, by, id)
		if err != nil {
			return err
		}
		file, err = n.fileView(r, held)
		return err
	})
	if err == nil {
		err = n.noteReading(ctx, by, id)
	}
	if err != nil {
		return PersonFile{}, fmt.Errorf("file of the person of %s: %w", id, err)
	}
	return file, nil
}

// heldFile is a person's file as rows.
type heldFile struct {
	structure territory.StructureID
	person    people.Beneficiary
	all       []filed // of all her mandates, the newest first
	last      int64   // the place of the last mandate looked at
	holders   []territory.HubID
}

type filed struct {
	store.MandateRow
	origin    territory.HubID // zero: the roster silenced who made it
	elsewhere bool
}

// gather opens every dossier of the structure: a person has a key, and an identifier,
// for each mandate, so that nothing but her name and birth holds them together.
func (n *Node) gather(r *store.Reader, by Actor, id mandate.ID) (heldFile, error) {
	row, err := n.mandateOf(r, by, id)
	if err != nil {
		return heldFile{}, err
	}
	d, err := n.openDossier(r, row)
	if err != nil {
		return heldFile{}, err
	}
	held := heldFile{structure: row.Structure, person: d.Mandate.Beneficiary}
	rows, last, err := r.MandatesKept(row.Structure, 0)
	if err != nil {
		return heldFile{}, err
	}
	held.last = last
	if held.all, err = n.sameAs(r, held.person, rows); err != nil {
		return heldFile{}, err
	}
	slices.SortFunc(held.all, func(a, b filed) int { return b.Start.Compare(a.Start) })
	held.holders, err = n.holdersSince(r, row.Structure, held.all[len(held.all)-1].Start)
	return held, err
}

// sameAs keeps the mandates whose dossier names a person: the same name, whatever the
// case of its letters, and the same birth.
func (n *Node) sameAs(r *store.Reader, who people.Beneficiary, rows []store.MandateRow) (same []filed, err error) {
	for _, row := range rows {
		d, err := n.openDossier(r, row)
		if err != nil {
			return nil, err
		}
		if b := d.Mandate.Beneficiary; b.BirthDate != who.BirthDate || !samePerson(b.Name, who.Name) {
			continue
		}
		f, err := n.filed(r, row)
		if err != nil {
			return nil, err
		}
		same = append(same, f)
	}
	return same, nil
}

// filed finds who made a mandate, and whether that hub is there to forget it. One
// that was expelled, or whose machine has another identity since, is not.
func (n *Node) filed(r *store.Reader, row store.MandateRow) (filed, error) {
	standing, _, err := r.Standing(row.ID)
	f := filed{MandateRow: row, origin: standing.Hub}
	if roster := n.Roster(); roster != nil && f.origin != n.self {
		hub, known := roster.Hub(f.origin)
		f.elsewhere = known && hub.State == territory.HubActive
	}
	return f, err
}

// here are the mandates that this hub may forget.
func (h heldFile) here() []filed {
	return slices.DeleteFunc(slices.Clone(h.all), func(f filed) bool { return f.elsewhere })
}

// seen is the hash of what would be forgotten.
func (h heldFile) seen() [32]byte {
	var ids [][]byte
	for _, f := range h.here() {
		ids = append(ids, f.ID[:])
	}
	slices.SortFunc(ids, bytes.Compare)
	return sha256.Sum256(bytes.Join(ids, nil))
}

// holdersSince are the hubs, but this one, that served a structure at any time since
// a moment: nobody else was given a dossier. Rosters older than those kept are not
// looked at; a hub that none of them names has had no dossier for as long.
func (n *Node) holdersSince(r *store.Reader, structure territory.StructureID, since time.Time) ([]territory.HubID, error) {
	var holders []territory.HubID
	serving := func(roster *territory.Roster) {
		s, _ := roster.Structure(structure)
		for _, hub := range s.Serving {
			if hub != n.self && !slices.Contains(holders, hub) {
				holders = append(holders, hub)
			}
		}
	}
	if present := n.Roster(); present != nil {
		serving(present)
	}
	rows, err := r.Rosters(store.RostersKept)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		roster, err := territory.OpenRoster(row.Note, row.Root)
		if err != nil {
			return nil, fmt.Errorf("roster %d: %w", row.Version, err)
		}
		serving(roster)
		if row.Taken.Before(since) { // it was in force then: those before were not any more
			break
		}
	}
	return holders, nil
}

func (n *Node) fileView(r *store.Reader, held heldFile) (PersonFile, error) {
	file := PersonFile{Person: held.person, Seen: held.seen()}
	for _, f := range held.all {
		facts, err := n.facts(r, people.HelperID{}, f.ID)
		if err != nil {
			return file, err
		}
		file.Mandates = append(file.Mandates, FiledMandate{
			ID: f.ID, Start: f.Start, End: f.End, State: mandate.StateOf(facts, n.now()),
			OriginName: n.hubName(f.origin), Elsewhere: f.elsewhere,
		})
	}
	if len(ownOf(held.here(), n.self)) > 0 {
		for _, hub := range held.holders {
			file.Hubs = append(file.Hubs, n.hubName(hub))
		}
	}
	var err error
	if file.OpenVisit, err = n.openVisit(r, held, time.Time{}); err != nil {
		return file, err
	}
	refused := n.stillNeeded(r, held, n.now())
	if f := fault.Of(refused); f != nil && f.Code == fault.Conflict {
		file.Refusal, refused = f.Message, nil
	}
	return file, refused
}

// ownOf are the mandates that this hub made.
func ownOf(all []filed, self territory.HubID) []filed {
	return slices.DeleteFunc(slices.Clone(all), func(f filed) bool { return f.origin != self })
}

// stillNeeded refuses, with Conflict, to forget somebody of whom something is in
// force, and says what to do first.
func (n *Node) stillNeeded(r *store.Reader, held heldFile, now time.Time) error {
	for _, f := range held.all {
		if err := n.mandateNeeded(r, f.MandateRow, now); err != nil {
			return err
		}
	}
	if err := n.visitNeeded(r, held, time.Time{}); err != nil {
		return err
	}
	if len(held.here()) > 0 {
		return nil
	}
	return fault.Errorf(fault.Conflict, "Ce qui est gardé de cette personne a été établi au relais de "+n.hubName(held.all[0].origin)+
		", et c’est lui qui le fait effacer partout. Appelez-le et donnez-lui les numéros ci-dessous\u00a0: un référent de votre structure l’y efface.",
		"mandate %s was made at %s", held.all[0].ID, held.all[0].origin)
}

// mandateNeeded refuses while a mandate is in force, or is still to be stopped in
// Aidants Connect: whoever stops it there needs her name.
func (n *Node) mandateNeeded(r *store.Reader, row store.MandateRow, now time.Time) error {
	facts, err := n.facts(r, people.HelperID{}, row.ID)
	if err != nil {
		return err
	}
	if !over(facts, row, now) {
		return fault.Errorf(fault.Conflict, "Un mandat de cette personne est encore en cours. Arrêtez-le d’abord, ou attendez sa fin\u00a0: rien n’est effacé tant qu’il peut servir.",
			"mandate %s is in force", row.ID)
	}
	work, err := r.WorkOf(row.ID)
	if err != nil {
		return err
	}
	if waiting, _ := splitWork(work, facts.Lines); waiting != nil && now.Before(waiting.Ends) {
		return fault.Errorf(fault.Conflict, "Un mandat de cette personne est encore à arrêter dans Aidants Connect. Faites-le, notez-le dans «\u00a0À faire dans Aidants Connect\u00a0», puis revenez.",
			"mandate %s waits on the worklist", row.ID)
	}
	return nil
}

// over tells whether a mandate cannot serve any more. What is unusable for another
// reason may become usable, until its end.
func over(f mandate.Facts, row store.MandateRow, now time.Time) bool {
	switch mandate.StateOf(f, now) {
	case mandate.StateStopped, mandate.StateDone, mandate.StateExpired:
		return true
	}
	return !now.Before(row.End)
}

// visitNeeded refuses while a visit of hers is open.
func (n *Node) visitNeeded(r *store.Reader, held heldFile, since time.Time) error {
	visit, err := n.openVisit(r, held, since)
	if err == nil && !visit.IsZero() {
		err = fault.Errorf(fault.Conflict, "Un accompagnement de cette personne est encore ouvert. Terminez-le d’abord.", "visit %s is open", visit)
	}
	return err
}

// openVisit finds a visit of hers, opened since a moment, that nobody closed: one that
// led to a mandate, or one whose draft names her. Zero: none.
func (n *Node) openVisit(r *store.Reader, held heldFile, since time.Time) (id mediation.AccompanimentID, err error) {
	visits, err := r.OpenVisits(held.structure)
	if err != nil {
		return id, err
	}
	for _, v := range visits {
		if v.OpenedAt.Before(since) {
			continue
		}
		if slices.ContainsFunc(held.all, func(f filed) bool { return f.Person == v.Beneficiary }) {
			return v.ID, nil
		}
		if !v.HasDraft {
			continue
		}
		named, err := n.draftPerson(r, v.ID)
		if err != nil {
			return id, err
		}
		if named != nil && samePerson(named.Name, held.person.Name) && (named.BirthDate == "" || named.BirthDate == held.person.BirthDate) {
			return v.ID, nil
		}
	}
	return id, nil
}
