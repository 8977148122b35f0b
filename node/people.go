package node

import (
	"context"
	"fmt"
	"time"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/seal"
	"relais/node/territory"
)

// Actor is who is signed in.
type Actor struct {
	Helper    people.HelperID
	Structure territory.StructureID
	Role      people.Role
	Name      people.Name
}

// NewHelper is an account to open on this hub.
type NewHelper struct {
	ID        people.HelperID // zero: a new one
	Login     string          // 3 to 40 of a-z 0-9 . - _
	Name      people.Name
	Structure territory.StructureID
	Role      people.Role // empty: RoleHelper
	// Passphrase of at least 12 characters; empty: one is made of six words.
	Passphrase string
}

// Enrolment is shown once.
type Enrolment struct {
	Helper     people.HelperID
	Login      string
	Passphrase string
	// TOTP is the otpauth:// URI (RFC 6238: SHA-1, 30 s, 6 digits).
	TOTP string
}

// totpIssuer names the account in an authenticator application, with the site.
const totpIssuer = "Relais"

// EnrolHelper opens an account. by is nil on the command line, where the
// machine's owner acts. It fails with Forbidden, Invalid on a field, or Conflict
// on "login" when the login or the identifier is taken.
func (n *Node) EnrolHelper(ctx context.Context, by *Actor, h NewHelper) (Enrolment, error) {
	h, err := n.parseHelper(by, h)
	if err != nil {
		return Enrolment{}, err
	}
	seed := people.NewSeed()
	verifier, err := n.makeVerifier(ctx, h.Passphrase)
	if err != nil {
		return Enrolment{}, err
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		row := store.HelperRow{ID: h.ID, Structure: h.Structure, Role: h.Role, Created: tx.Now}
		if err := n.sealHelper(tx, &row, h.Name, verifier, seed); err != nil {
			return err
		}
		if put, err := n.putHelper(tx, row, h.Login); err != nil {
			return err
		} else if !put {
			return fault.Errorf(fault.Conflict, "Cet identifiant est déjà pris. Choisissez-en un autre.",
				"the login or the identifier %s is taken", h.ID).On("login")
		}
		return n.note(tx, entry{
			Kind: journal.KindHelperEnrol, Actor: actorOf(by), Subject: h.ID.String(),
			Public: map[string]any{"role": string(h.Role), "structure": h.Structure.String()},
		})
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("enrol helper %s: %w", h.ID, err)
	}
	return Enrolment{
		Helper: h.ID, Login: h.Login, Passphrase: h.Passphrase,
		TOTP: seed.URI(totpIssuer+" "+n.Name(), h.Login),
	}, nil
}

// actorOf is how the journal names who acts: the machine's owner without a by.
func actorOf(by *Actor) string {
	if by == nil {
		return actorMachine
	}
	return by.Helper.String()
}

// parseHelper fills in and checks what a new account says, and that by may open
// it: a référent those of her structure, the département any.
func (n *Node) parseHelper(by *Actor, h NewHelper) (NewHelper, error) {
	var err error
	if h.Role == "" {
		h.Role = people.RoleHelper
	}
	if !h.Role.Valid() {
		return h, fault.Errorf(fault.Invalid, "Choisissez le rôle dans la liste.", "unknown role of %d octets", len(h.Role)).On("role")
	}
	if err := mayEnrol(by, h); err != nil {
		return h, err
	}
	if h.Login, err = people.ParseLogin(h.Login); err != nil {
		return h, err
	}
	if h.Name, err = h.Name.Parse(); err != nil {
		return h, err
	}
	if !h.Name.Complete() {
		return h, fault.Errorf(fault.Invalid, "Indiquez le prénom et le nom de l’aidant.", "helper without a full name").On("given")
	}
	if err := n.knownStructure(h); err != nil {
		return h, err
	}
	if h.ID.IsZero() {
		h.ID = id.Random[people.HelperID]()
	}
	if h.Passphrase == "" {
		h.Passphrase = people.NewPassphrase()
	}
	h.Passphrase, err = people.NewPassphraseForm(h.Passphrase)
	return h, err
}

func mayEnrol(by *Actor, h NewHelper) error {
	switch {
	case by == nil, by.Role == people.RoleAdministrator:
		return nil
	case !by.Role.May(people.VerbEnrol), by.Structure != h.Structure, h.Role == people.RoleAdministrator:
		return fault.Errorf(fault.Forbidden, "Vous ne pouvez pas ouvrir ce compte. Demandez au référent de la structure.",
			"%s may not enrol a %s", by.Helper, h.Role)
	}
	return nil
}

// knownStructure checks the structure against the roster, once there is one.
func (n *Node) knownStructure(h NewHelper) error {
	if h.Role == people.RoleAdministrator {
		return nil
	}
	roster := n.Roster()
	if roster == nil && !h.Structure.IsZero() {
		return nil
	}
	if roster != nil {
		if _, found := roster.Structure(h.Structure); found {
			return nil
		}
	}
	return fault.Errorf(fault.Invalid, "Cette structure n’est pas dans le registre du territoire.",
		"structure %s is not in the roster", h.Structure).On("structure")
}

// putHelper opens an account. It returns false when the identifier or the login is
// taken, be it under an earlier key.
func (n *Node) putHelper(tx *store.Tx, row store.HelperRow, login string) (bool, error) {
	tags := n.loginTags(login)
	if _, taken, err := tx.HelperByLogin(tags); taken || err != nil {
		return false, err
	}
	row.Login = tags[0]
	return tx.PutHelper(row)
}

// sealHelper fills in the sealed columns of an account.
func (n *Node) sealHelper(tx *store.Tx, row *store.HelperRow, name people.Name, verifier string, seed people.Seed) (err error) {
	if row.Name, err = n.seal(tx, seal.PurposeHelper, helperPlace(row.ID, "name"), encodeName(name)); err != nil {
		return err
	}
	if row.Verifier, err = n.seal(tx, seal.PurposeCredential, helperPlace(row.ID, "verifier"), []byte(verifier)); err != nil {
		return err
	}
	row.Seed, err = n.seal(tx, seal.PurposeCredential, helperPlace(row.ID, "seed"), seed)
	return err
}

func helperPlace(id people.HelperID, column string) seal.Place {
	return seal.Place{Table: "helpers", Row: id.String(), Column: column, Version: 1}
}

// loginTags find an account by its login without keeping the login: the row has
// one of them, the first unless the hub's key was just replaced.
func (n *Node) loginTags(login string) []seal.Tag {
	return n.sealer.Tags(seal.PurposeCredential, []byte("login\x00"+login))
}

// Actor returns the account as it stands now, for a session of before. It fails
// with Unauthenticated when there is none, Forbidden when it is suspended.
func (n *Node) Actor(ctx context.Context, helper people.HelperID) (Actor, error) {
	var a Actor
	err := n.db.Read(ctx, func(r *store.Reader) error {
		row, found, err := r.Helper(helper)
		if err != nil {
			return err
		}
		if !found {
			return fault.Errorf(fault.Unauthenticated, "Votre session est terminée. Connectez-vous.", "no account %s here", helper)
		}
		a, err = n.actor(r, row)
		return err
	})
	return a, err
}

// actor opens an account's name and refuses a suspended one.
func (n *Node) actor(r *store.Reader, row store.HelperRow) (Actor, error) {
	if err := n.mayWork(r, row); err != nil {
		return Actor{}, err
	}
	name, err := n.helperName(row.ID, row.Name)
	if err != nil {
		return Actor{}, err
	}
	return Actor{Helper: row.ID, Structure: row.Structure, Role: row.Role, Name: name}, nil
}

// mayWork refuses a suspended account.
func (n *Node) mayWork(r *store.Reader, row store.HelperRow) error {
	suspended, err := n.suspended(r, row)
	if err == nil && suspended {
		err = fault.Errorf(fault.Forbidden, "Votre compte est suspendu. Adressez-vous au référent de votre structure.",
			"helper %s is suspended", row.ID)
	}
	return err
}

// suspended tells whether the account is suspended on this hub, or its helper in
// the territory.
func (n *Node) suspended(r *store.Reader, row store.HelperRow) (bool, error) {
	if !row.Suspended.IsZero() {
		return true, nil
	}
	return r.SuspensionStands(row.ID)
}

// helperName opens the name of an account.
func (n *Node) helperName(id people.HelperID, sealed []byte) (people.Name, error) {
	plain, err := n.sealer.Open(seal.PurposeHelper, helperPlace(id, "name"), sealed)
	if err != nil {
		return people.Name{}, fmt.Errorf("name of %s: %w", id, err)
	}
	return decodeName(plain), nil
}

// HasHelpers tells whether any account exists: false sends to the first steps.
func (n *Node) HasHelpers(ctx context.Context) (bool, error) {
	var any bool
	err := n.db.ReadOne(ctx, func(r *store.Reader) (err error) { any, err = r.AnyHelper(); return err })
	return any, err
}

// NextCodeIn says after how long the next TOTP code begins.
func (n *Node) NextCodeIn(now time.Time) time.Duration { return people.NextStepIn(now) }

// may refuses an actor whose role is not allowed the verb.
func (a Actor) may(v people.Verb) error {
	if !a.Role.May(v) {
		return fault.Errorf(fault.Forbidden, "Votre compte ne permet pas de faire cela.", "role %q may not %s", a.Role, v)
	}
	return nil
}
