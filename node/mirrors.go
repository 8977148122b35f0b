package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
)

// MaxMirrors is how many mandates may be entered at once: a morning's pile.
const MaxMirrors = 20

type batchKind struct{}

func (batchKind) Prefix() string { return "b" }

// BatchID names one sending of the form of mirrors.
type BatchID = id.ID[batchKind]

// MirrorBatch is one or several mandates already made in Aidants Connect.
type MirrorBatch struct {
	ID      BatchID // from the form, so that a double submit is one batch
	Mirrors []mandate.Mirror
	// Paper is the helper's word that the signed paper of each is before her.
	Paper bool
	Code  string // her fresh TOTP code
}

// EnterMirrors enters mandates of the actor's structure that were made in Aidants
// Connect, all or none. Each is then known, and may be stopped, in every hub of
// the territory; as one made here, it is used once the person has the paper with
// its stop code. Entering a batch twice returns the mandates already made. It
// fails as Grant does; with Invalid on "entry_1_made" and its like (given,
// family, birth_date, made, term, scopes) or "paper", and Conflict on
// "entry_1_made" when the mandate is here already: one that was stopped does not
// come back by entering it again.
func (n *Node) EnterMirrors(ctx context.Context, by Actor, b MirrorBatch) (made []mandate.ID, err error) {
	var refusal error
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		made, refusal, err = n.enterMirrors(tx, by, b)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return nil, fmt.Errorf("enter mirrors %s: %w", b.ID, err)
	}
	return made, nil
}

// enterMirrors is the transaction. A refusal is committed, because a wrong code
// counts; an error undoes all.
func (n *Node) enterMirrors(tx *store.Tx, by Actor, b MirrorBatch) (made []mandate.ID, refusal, err error) {
	if err := by.may(people.VerbDrawUp); err != nil {
		return nil, nil, err
	}
	made, structure, err := tx.MirrorsOf(b.ID)
	if err != nil || len(made) > 0 {
		if err == nil && structure != by.Structure {
			err = fault.Errorf(fault.Conflict, "Ce formulaire a déjà servi. Rouvrez la page et réessayez.", "batch %s is another structure's", b.ID)
		}
		return made, nil, err
	}
	account, err := n.accountOf(tx.Reader, by)
	if err != nil {
		return nil, nil, err
	}
	if err := n.mayGrant(tx); err != nil {
		return nil, nil, err
	}
	if err := b.check(); err != nil {
		return nil, nil, err
	}
	plans, err := n.planMirrors(tx, by, b.Mirrors)
	if err != nil {
		return nil, nil, err
	}
	if refusal, err := n.approve(tx, account, b.Code); refusal != nil || err != nil {
		return nil, refusal, err
	}
	for i, plan := range plans {
		if err := n.keepMirror(tx, by, b.ID, i, plan); err != nil {
			return nil, nil, err
		}
		made = append(made, plan.mandate.ID)
	}
	return made, nil, nil
}

func (b MirrorBatch) check() error {
	switch {
	case b.ID.IsZero() || len(b.Mirrors) == 0 || len(b.Mirrors) > MaxMirrors:
		return fault.Errorf(fault.Invalid, "Le formulaire est incomplet. Rouvrez la page et réessayez.", "a batch of %d, at most %d", len(b.Mirrors), MaxMirrors)
	case !b.Paper:
		return fault.Errorf(fault.Invalid, "Inscrivez seulement les mandats dont le papier signé est devant vous.", "no signed paper").On("paper")
	}
	return nil
}

// planMirrors checks every entry and decides identifiers and words.
func (n *Node) planMirrors(tx *store.Tx, by Actor, typed []mandate.Mirror) ([]grantPlan, error) {
	structure, err := n.structure(by.Structure)
	if err != nil {
		return nil, err
	}
	now, zone := tx.Now, n.zone()
	var plans []grantPlan
	for i, m := range typed {
		m, err := m.Parse(now.In(zone))
		if err == nil {
			err = m.Ready(now.In(zone))
		}
		if err == nil {
			err = n.newMirror(tx.Reader, by, m, m.Start(zone), plans)
		}
		if err != nil {
			return nil, onEntry(i, err)
		}
		plan, err := n.planGrant(m.Start(zone), by, mediation.AccompanimentID{}, mandate.Presented{
			Regime: record.AidantsConnect, Structure: structure, HelperName: by.Name.Full(),
			Beneficiary: m.Person, Lines: m.Lines(), Term: m.Term, Site: n.Name(), Zone: zone,
		})
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// onEntry names the entry, from 0, whose field is at fault.
func onEntry(i int, err error) error {
	f := fault.Of(err)
	if f.Field == "" {
		return err
	}
	return f.On(fmt.Sprintf("entry_%d_%s", i+1, f.Field))
}

// newMirror refuses what is here already: the same person, the same day, a scope
// in common. A second mirror would go on after the first was stopped.
func (n *Node) newMirror(r *store.Reader, by Actor, m mandate.Mirror, start time.Time, plans []grantPlan) error {
	for _, plan := range plans {
		if plan.mandate.Start.Equal(start) && sameMirror(m, plan.mandate) {
			return fault.Errorf(fault.Conflict, "Ce mandat est deux fois sur cette page. Retirez-en un.", "twice in a batch").On("made")
		}
	}
	rows, err := r.MirrorsMade(by.Structure, start)
	if err != nil {
		return err
	}
	for _, row := range rows {
		d, err := n.openDossier(r, row)
		if fault.Is(err, fault.NotFound) { // the person was forgotten
			continue
		}
		if err != nil {
			return err
		}
		if sameMirror(m, d.Mandate) {
			return fault.Errorf(fault.Conflict, "Ce mandat est déjà inscrit ici. S’il a été arrêté, il le reste\u00a0: il faut un nouveau mandat.",
				"mandate %s mirrors it", row.ID).On("made")
		}
	}
	return nil
}

// sameMirror compares as people do: whatever the case of the letters.
func sameMirror(m mandate.Mirror, held mandate.Mandate) bool {
	b := held.Beneficiary
	return m.Person.BirthDate == b.BirthDate && samePerson(m.Person.Name, b.Name) &&
		slices.ContainsFunc(held.Lines, func(l mandate.Line) bool { return slices.Contains(m.Scopes, l.Scope) })
}

func samePerson(a, b people.Name) bool {
	return strings.EqualFold(a.Given, b.Given) && strings.EqualFold(a.Family, b.Family)
}

// keepMirror writes one of a batch: rows, notice, entry.
func (n *Node) keepMirror(tx *store.Tx, by Actor, batch BatchID, place int, plan grantPlan) error {
	person := id.Random[people.BeneficiaryID]()
	key, err := n.newPerson(tx, person)
	if err != nil {
		return err
	}
	if err := n.keepMandate(tx, person, key, plan); err != nil {
		return err
	}
	if err := tx.PutMirror(plan.mandate.ID, batch, place); err != nil {
		return err
	}
	return n.noteGrant(tx, journal.KindMandateMirror, by, person, key, plan)
}
