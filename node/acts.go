package node

import (
	"context"
	"fmt"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/seal"
)

// NewAct is a démarche to be recorded. ID comes from the form.
type NewAct struct {
	ID      mandate.ActID
	Mandate mandate.ID
	Line    uint8
	Channel mandate.ActChannel
	Present bool
	SignsIn bool
	Pays    bool
	Note    string
}

// RecordAct records one use of a line. It is refused, with the date and place
// of the stop in the message, when the line may not be used; and when a local
// mandate would sign in to an account or pay in the person's absence. The
// journal entry keeps what this hub knew then (its vector); a refusal is an
// entry too. The same ID twice is one act.
//
// It fails with Invalid on "id", "channel" or "note", NotFound for another
// structure's mandate, Conflict when the ID is another act's, and Forbidden.
func (n *Node) RecordAct(ctx context.Context, by Actor, a NewAct) (mandate.Act, error) {
	act, err := parseAct(by, a)
	if err != nil {
		return mandate.Act{}, err
	}
	var refusal error
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		act, refusal, err = n.recordAct(tx, by, act)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return mandate.Act{}, fmt.Errorf("record act under %s: %w", a.Mandate, err)
	}
	return act, nil
}

func parseAct(by Actor, a NewAct) (mandate.Act, error) {
	if err := by.may(people.VerbAct); err != nil {
		return mandate.Act{}, err
	}
	if a.ID.IsZero() {
		return mandate.Act{}, fault.Errorf(fault.Invalid, "Le formulaire est incomplet. Rouvrez la page et réessayez.", "act without an identifier").On("id")
	}
	if !a.Channel.Valid() {
		return mandate.Act{}, fault.Errorf(fault.Invalid, "Choisissez dans la liste comment la démarche a été faite.", "unknown channel of an act").On("channel")
	}
	note, err := mandate.ParseNote(a.Note)
	if err != nil {
		return mandate.Act{}, err
	}
	return mandate.Act{
		ID: a.ID, Mandate: a.Mandate, Line: a.Line, Helper: by.Helper, Channel: a.Channel,
		Present: a.Present, SignsIn: a.SignsIn, Pays: a.Pays, Note: note,
	}, nil
}

// recordAct is the transaction. A refusal is committed with its entry.
func (n *Node) recordAct(tx *store.Tx, by Actor, act mandate.Act) (done mandate.Act, refusal, err error) {
	row, err := n.mandateOf(tx.Reader, by, act.Mandate)
	if err != nil {
		return act, nil, err
	}
	if old, found, err := tx.Act(act.ID); err != nil || found {
		return sameAct(old.Act, act, err)
	}
	facts, err := n.facts(tx.Reader, by.Helper, act.Mandate)
	if err != nil {
		return act, nil, err
	}
	verdict := mandate.Usable(facts, act.Line, tx.Now)
	if !verdict.Usable {
		if refusal, err = n.refusal(tx, row, verdict, facts, act.Line); err != nil {
			return act, nil, err
		}
		return act, refusal, n.noteRefusal(tx, by, act, string(verdict.Why))
	}
	if refusal := act.Allowed(row.Regime); refusal != nil {
		return act, refusal, n.noteRefusal(tx, by, act, "absence")
	}
	act.At = tx.Now
	return act, nil, n.keepAct(tx, by, row, act)
}

// sameAct answers a second submit: the act already recorded, or Conflict when the
// identifier is another's.
func sameAct(old, act mandate.Act, err error) (mandate.Act, error, error) {
	if err == nil && (old.Mandate != act.Mandate || old.Line != act.Line || old.Helper != act.Helper) {
		err = fault.Errorf(fault.Conflict, "Cette démarche est déjà enregistrée autrement. Rouvrez la page.", "act %s is another one", act.ID)
	}
	old.Note = act.Note
	return old, nil, err
}

// notePlace is where the note of an act lives.
func notePlace(id mandate.ActID) seal.Place {
	return seal.Place{Table: "acts", Row: id.String(), Column: "note", Version: 1}
}

func (n *Node) keepAct(tx *store.Tx, by Actor, row store.MandateRow, act mandate.Act) error {
	kept := store.ActRow{Act: act}
	var err error
	if act.Note != "" {
		if kept.Sealed, err = n.sealFor(tx, row.Person, notePlace(act.ID), []byte(act.Note)); err != nil {
			return err
		}
	}
	if err := tx.PutAct(kept); err != nil {
		return err
	}
	vector, err := n.knownVector(tx.Reader)
	if err != nil {
		return err
	}
	public := actPublic(act)
	public["vector"] = vector
	return n.note(tx, entry{
		Kind: journal.KindActRecord, Actor: by.Helper.String(), Subject: act.ID.String(), Person: row.Person,
		Public: public, Personal: map[string]any{"note": act.Note},
	})
}

func actPublic(act mandate.Act) map[string]any {
	return map[string]any{
		"mandate": act.Mandate.String(), "line": uint(act.Line), "channel": string(act.Channel),
		"present": act.Present, "signs_in": act.SignsIn, "pays": act.Pays,
	}
}

// noteRefusal says in the journal that an act was refused, and why.
func (n *Node) noteRefusal(tx *store.Tx, by Actor, act mandate.Act, why string) error {
	public := actPublic(act)
	public["why"] = why
	return n.note(tx, entry{Kind: journal.KindMandateRefused, Actor: by.Helper.String(), Subject: act.Mandate.String(), Public: public})
}
