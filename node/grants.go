package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/node/seal"
)

// Approval is the helper's word on one recap: her fresh TOTP code and the hash
// of what she read.
type Approval struct {
	Recap [32]byte
	Code  string
}

// Grant turns the draft of a visit into a mandate, in one transaction: rows,
// sealed dossier, journal entry, unsigned notice, and the code consumed with
// them. Granting twice returns the mandate already made. It fails with Stale when
// the draft changed since the recap, Unauthenticated on "code" for a wrong or
// used code, Limited after several of them, Invalid or Forbidden as Recap does,
// Forbidden where the roster says that this hub is expelled, and Unavailable while the clock is in doubt, or the folder until another hub
// answered.
func (n *Node) Grant(ctx context.Context, by Actor, visit mediation.AccompanimentID, a Approval) (mandate.ID, error) {
	var made mandate.ID
	var refusal error
	err := n.db.Write(ctx, func(tx *store.Tx) (err error) {
		made, refusal, err = n.grant(tx, by, visit, a)
		return err
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return mandate.ID{}, fmt.Errorf("grant in %s: %w", visit, err)
	}
	return made, nil
}

// grant is the transaction. A refusal is committed, because a wrong code counts;
// an error undoes all. Wording and sealing are done in it: they compute for less
// than it takes to read the visit and the draft a second time.
func (n *Node) grant(tx *store.Tx, by Actor, visit mediation.AccompanimentID, a Approval) (made mandate.ID, refusal, err error) {
	made, account, err := n.grantedIn(tx.Reader, by, visit)
	if err != nil || !made.IsZero() {
		return made, nil, err
	}
	if err := n.mayGrant(tx); err != nil {
		return made, nil, err
	}
	p, err := n.readAloud(tx.Reader, by, visit, a.Recap)
	if err != nil {
		return made, nil, err
	}
	if refusal, err := n.approve(tx, account, a.Code); refusal != nil || err != nil {
		return made, refusal, err
	}
	plan, err := n.planGrant(tx.Now, by, visit, p)
	if err != nil {
		return made, nil, err
	}
	person := id.Random[people.BeneficiaryID]()
	key, err := n.newPerson(tx, person)
	if err != nil {
		return made, nil, err
	}
	if err := n.keepGrant(tx, person, key, plan); err != nil {
		return made, nil, err
	}
	return plan.mandate.ID, nil, n.noteGrant(tx, journal.KindMandateGrant, by, person, key, plan)
}

// mayGrant refuses while this hub may not say that a mandate exists.
func (n *Node) mayGrant(tx *store.Tx) error {
	if err := n.grantsExpelled(); err != nil {
		return err
	}
	if err := n.grantsBlocked(tx.Now); err != nil {
		return err
	}
	return n.grantsDoubtful(tx.Reader, tx.Now)
}

// readAloud returns what the draft says, if it is what the helper read and
// approved.
func (n *Node) readAloud(r *store.Reader, by Actor, visit mediation.AccompanimentID, recap [32]byte) (p mandate.Presented, err error) {
	draft, err := n.readDraft(r, visit)
	if err != nil {
		return p, err
	}
	p, err = n.presented(by, draft)
	if err == nil && p.RecapHash() != recap {
		err = staleDraft(visit)
	}
	return p, err
}

// grantPlan is what a grant will write.
type grantPlan struct {
	visit   mediation.AccompanimentID // zero for a mirror
	mandate mandate.Mandate
	plain   []byte // the dossier
	code    record.StopCode
}

// grantedIn returns the mandate that a visit of the actor's structure led to.
// Without one, it checks that she may draw it up, and returns her account.
func (n *Node) grantedIn(r *store.Reader, by Actor, id mediation.AccompanimentID) (made mandate.ID, account store.HelperRow, err error) {
	if err := by.may(people.VerbDrawUp); err != nil {
		return made, account, err
	}
	visit, err := visitOf(r, by, id)
	if err != nil || !visit.Mandate.IsZero() {
		return visit.Mandate, account, err
	}
	if account, err = n.accountOf(r, by); err == nil {
		err = draftable(visit)
	}
	return made, account, err
}

// planGrant decides the identifiers and the words, and seals the dossier.
func (n *Node) planGrant(start time.Time, by Actor, visit mediation.AccompanimentID, p mandate.Presented) (plan grantPlan, err error) {
	p.Start, p.End = start, p.Term.End(start)
	wording := p.Text()
	plan.visit = visit
	plan.mandate = mandate.Mandate{
		ID: id.Random[mandate.ID](), Regime: p.Regime, Structure: by.Structure,
		Helper: by.Helper, HelperName: p.HelperName, Beneficiary: p.Beneficiary,
		Declarations: p.Declarations, Evidence: p.Evidence, Lines: p.Lines, Term: p.Term,
		Start: p.Start, End: p.End, Text: mandate.TextHash(wording),
	}
	dossier := mandate.Dossier{Territory: n.birth.Territory, Hub: n.self, Mandate: plan.mandate, Wording: wording}
	rand.Read(dossier.Salt[:]) // never fails since Go 1.24
	plan.code = record.NewStopCode()
	plan.plain, err = dossier.Encode()
	return plan, err
}

// approve consumes the helper's code. A wrong one is a refusal, with a growing
// delay. It is counted after the check and not before: nobody else writes
// meanwhile, and a right one has nothing to count.
func (n *Node) approve(tx *store.Tx, account store.HelperRow, code string) (refusal, err error) {
	attempt := store.Attempted{
		Delay: codeDelay, Key: n.sealer.Tag(seal.PurposeCredential, []byte("code\x00"+account.ID.String())),
	}
	failed, wait, err := tx.Pending(attempt)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return fault.Of(limited(wait)).On("code"), nil
	}
	check, err := n.useCode(tx, account, true, code)
	switch {
	case err != nil:
		return nil, err
	case check == people.CodeRight && failed == 0:
		return nil, nil
	case check == people.CodeRight:
		return nil, tx.Forgive(attempt)
	case check == people.CodeUsed:
		refusal = n.codeUsed(tx.Now)
	default:
		refusal = fault.Errorf(fault.Unauthenticated, "Ce code n’est pas le bon. Lisez celui qui s’affiche maintenant dans votre application.",
			"wrong TOTP code for an approval").On("code")
	}
	_, err = tx.Attempt(attempt)
	return refusal, err
}

// keepGrant writes the rows of a visit that led to a mandate.
func (n *Node) keepGrant(tx *store.Tx, person people.BeneficiaryID, key seal.Key, plan grantPlan) error {
	if err := n.keepMandate(tx, person, key, plan); err != nil {
		return err
	}
	if err := tx.NameAccompaniment(plan.visit, person); err != nil {
		return err
	}
	return tx.DropDraft(plan.visit)
}

// keepMandate writes the mandate's row and its notice, unsigned for now.
func (n *Node) keepMandate(tx *store.Tx, person people.BeneficiaryID, key seal.Key, plan grantPlan) error {
	m := plan.mandate
	put, err := tx.PutMandate(store.MandateRow{
		ID: m.ID, Structure: m.Structure, Person: person, Accompaniment: plan.visit, Regime: m.Regime,
		Scopes: scopesOf(m), Start: m.Start, End: m.End,
		StopCode: key.Seal(n.storeID, mandatePlace(m.ID, "stop_code"), plan.code[:]),
		Content:  key.Seal(n.storeID, mandatePlace(m.ID, "content"), plan.plain),
	})
	if err == nil && !put {
		err = fmt.Errorf("mandate %s exists", m.ID)
	}
	if err != nil {
		return err
	}
	_, _, err = n.author(tx, &record.Notice{
		Mandate: m.ID, Structure: m.Structure, Lines: uint8(len(m.Lines)), Start: m.Start, End: m.End,
		Regime: m.Regime, Stop: plan.code.Commitment(n.birth.Territory), Dossier: record.DossierDigest(plan.plain),
	})
	return err
}

// mandatePlace is where a sealed column of a mandate lives.
func mandatePlace(id mandate.ID, column string) seal.Place {
	return seal.Place{Table: "mandates", Row: id.String(), Column: column, Version: 1}
}

func scopesOf(m mandate.Mandate) []mandate.Scope {
	scopes := make([]mandate.Scope, len(m.Lines))
	for i, l := range m.Lines {
		scopes[i] = l.Scope
	}
	return scopes
}

// noteGrant writes the journal's entry.
func (n *Node) noteGrant(tx *store.Tx, kind journal.Kind, by Actor, person people.BeneficiaryID, key seal.Key, plan grantPlan) error {
	m := plan.mandate
	services := make([]any, len(m.Lines))
	for i, l := range m.Lines {
		services[i] = l.Service
	}
	public := map[string]any{
		"structure": m.Structure.String(), "regime": uint(m.Regime), "term": string(m.Term),
		"lines": len(m.Lines), "start": m.Start.UnixMilli(), "end": m.End.UnixMilli(),
	}
	if !plan.visit.IsZero() {
		public["visit"], public["evidence"] = plan.visit.String(), string(m.Evidence)
	}
	return n.note(tx, entry{
		Kind: kind, Actor: by.Helper.String(), Subject: m.ID.String(), Person: person, Key: &key, Public: public,
		Personal: map[string]any{
			"given": m.Beneficiary.Name.Given, "family": m.Beneficiary.Name.Family, "birth": m.Beneficiary.BirthDate,
			"services": services, "text": m.Text[:],
		},
	})
}
