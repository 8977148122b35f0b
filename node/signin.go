package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
)

// The growing delays. An account's stays short, so that whoever hammers a login
// cannot keep its owner out; the place the attempts come from waits longer.
var (
	accountDelay = store.Delay{Bucket: "account", Free: 3, First: time.Second, Max: 8 * time.Second, Forget: time.Hour}
	sourceDelay  = store.Delay{Bucket: "source", Free: 6, First: time.Second, Max: time.Minute, Forget: time.Hour}
	codeDelay    = store.Delay{Bucket: "code", Free: 3, First: time.Second, Max: 30 * time.Second, Forget: time.Hour}
)

// SignIn checks login, passphrase and TOTP code together and says nothing of
// which was wrong. from is the network address, for growing delays; a fault
// Limited says how long to wait. A code already used asks to wait for the next.
//
// The attempt is counted first, Argon2id runs outside any transaction, and the
// code is consumed with the journal's entry. An unknown login costs the same and
// is answered the same as a wrong passphrase.
func (n *Node) SignIn(ctx context.Context, login, passphrase, code, from string) (Actor, error) {
	login, passphrase = credentialForms(login, passphrase)
	attempts := []store.Attempted{
		{Delay: accountDelay, Key: n.loginTags(login)[0].Sum},
		{Delay: sourceDelay, Key: n.sealer.Tag(seal.PurposeCredential, []byte("source\x00"+source(from)))},
	}
	if err := n.attempt(ctx, attempts...); err != nil {
		return Actor{}, err
	}
	row, known, err := n.account(ctx, login)
	if err != nil {
		return Actor{}, err
	}
	right, err := n.checkPassphrase(ctx, row, known, passphrase)
	if err != nil {
		return Actor{}, err
	}
	return n.finishSignIn(ctx, row, known && right, code, attempts)
}

// credentialForms gives what was typed its one form. What has none matches no
// account, and must cost the same as what has one.
func credentialForms(login, passphrase string) (string, string) {
	login, err := people.ParseLogin(login)
	if err != nil {
		login = ""
	}
	passphrase, err = people.ParsePassphrase(passphrase)
	if err != nil {
		passphrase = ""
	}
	return login, passphrase
}

// attempt counts an attempt or fails with Limited.
func (n *Node) attempt(ctx context.Context, attempts ...store.Attempted) error {
	var wait time.Duration
	err := n.db.Write(ctx, func(tx *store.Tx) (err error) {
		wait, err = tx.Attempt(attempts...)
		return err
	})
	if err == nil && wait > 0 {
		err = limited(wait)
	}
	return err
}

// limited is the fault that asks to wait.
func limited(wait time.Duration) error {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return fault.Errorf(fault.Limited, fmt.Sprintf("Trop d’essais. Attendez %s, puis réessayez.", secondsText(seconds)),
		"growing delay: %d s left", seconds).After(wait)
}

func secondsText(n int64) string {
	if n <= 1 {
		return "une seconde"
	}
	return fmt.Sprintf("%d\u00a0secondes", n)
}

// account reads the account of a login. An unknown one gets the row of nobody. A
// login that was not found while the hub's key was replaced is looked up again.
func (n *Node) account(ctx context.Context, login string) (row store.HelperRow, known bool, err error) {
	for {
		tags := n.loginTags(login)
		err = n.db.Read(ctx, func(r *store.Reader) (err error) {
			row, known, err = r.HelperByLogin(tags)
			return err
		})
		if err != nil || known || n.loginTags(login)[0] == tags[0] {
			return row, known, err
		}
	}
}

// finishSignIn checks and consumes the code, forgives the attempts and writes the
// entry, in one transaction; or writes that a sign-in was refused.
func (n *Node) finishSignIn(ctx context.Context, row store.HelperRow, right bool, code string, attempts []store.Attempted) (Actor, error) {
	var a Actor
	var refusal error
	err := n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if a, refusal, err = n.admit(tx, row, right, code); err != nil {
			return err
		}
		if refusal != nil {
			return n.noteDenial(tx, row.ID, attempts[len(attempts)-1].Key, refusal)
		}
		if err := tx.Forgive(attempts...); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindHelperLogin, Actor: a.Helper.String(), Subject: a.Helper.String()})
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Actor{}, err
	}
	return a, nil
}

// noteDenial enters a refused sign-in: the first from its source in a minute, with
// how many more there were since the one before. Who knew all three and may not
// come in used up a code: that is always an entry.
func (n *Node) noteDenial(tx *store.Tx, account people.HelperID, source [32]byte, refusal error) error {
	more, due := n.denials.due(source, tx.Now)
	if !due && !fault.Is(refusal, fault.Forbidden) {
		return nil
	}
	e := entry{Kind: journal.KindHelperDeny, Actor: actorMachine, Subject: subjectOf(account)}
	if more > 0 {
		e.Public = map[string]any{"more": uint(more)}
	}
	return n.note(tx, e)
}

// subjectOf is an identifier's text, empty for none.
func subjectOf(id people.HelperID) string {
	if id.IsZero() {
		return ""
	}
	return id.String()
}

// errWrongCredentials is the one answer to a wrong login, passphrase or code.
var errWrongCredentials = fault.Errorf(fault.Unauthenticated,
	"L’identifiant, la phrase secrète ou le code ne sont pas reconnus. Vérifiez les trois et réessayez.",
	"wrong login, passphrase or code")

// admit decides a sign-in inside its transaction. A refusal is committed with its
// entry; an error undoes all.
func (n *Node) admit(tx *store.Tx, row store.HelperRow, right bool, code string) (a Actor, refusal, err error) {
	if !row.ID.IsZero() {
		now, _, err := tx.Helper(row.ID) // the step moved on if another sign-in came first
		if err != nil {
			return Actor{}, nil, err
		}
		row.LastStep = now.LastStep
	}
	check, err := n.useCode(tx, row, right, code)
	if err != nil {
		return Actor{}, nil, err
	}
	switch {
	case !right || check == people.CodeWrong:
		return Actor{}, errWrongCredentials, nil
	case check == people.CodeUsed:
		return Actor{}, n.codeUsed(tx.Now), nil
	}
	a, err = n.actor(tx.Reader, row)
	if fault.Is(err, fault.Forbidden) {
		return Actor{}, err, nil
	}
	return a, nil, err
}

// codeUsed is the fault that asks to wait for the next code.
func (n *Node) codeUsed(now time.Time) error {
	wait := people.NextStepIn(now)
	return fault.Errorf(fault.Unauthenticated,
		"Ce code a déjà servi. Attendez le suivant, dans "+secondsText(int64((wait+time.Second-1)/time.Second))+".",
		"TOTP code used before").On("code").After(wait)
}

// useCode checks a code of a row that this transaction read and, when it is right and may be used, consumes its step.
// Without a right passphrase nothing is consumed, but the same is computed.
func (n *Node) useCode(tx *store.Tx, row store.HelperRow, right bool, code string) (people.CodeCheck, error) {
	seed := people.Seed(make([]byte, 20))
	last := int64(0)
	if !row.ID.IsZero() {
		plain, err := n.sealer.Open(seal.PurposeCredential, helperPlace(row.ID, "seed"), row.Seed)
		if err != nil {
			return people.CodeWrong, fmt.Errorf("seed of %s: %w", row.ID, err)
		}
		seed, last = plain, row.LastStep
	}
	check, step := seed.Check(code, tx.Now, last)
	if !right || check != people.CodeRight {
		return check, nil
	}
	used, err := tx.UseStep(row.ID, step)
	if err == nil && !used {
		check = people.CodeUsed
	}
	return check, err
}
