package store

import (
	"time"

	"relais/node/people"
	"relais/node/seal"
	"relais/node/territory"
)

// HelperRow is an account as it is kept.
type HelperRow struct {
	ID        people.HelperID
	Structure territory.StructureID
	Role      people.Role
	Login     seal.Tag // of its login
	Name      []byte   // sealed
	Verifier  []byte   // sealed
	Seed      []byte   // sealed
	LastStep  int64    // of TOTP
	Suspended time.Time
	Created   time.Time
}

const helperColumns = `id, structure, role, login, login_key, name, verifier, seed, last_step, suspended, created`

func scanHelper(row interface{ Scan(...any) error }) (h HelperRow, err error) {
	var id, structure, login []byte
	var suspended, created int64
	err = row.Scan(&id, &structure, &h.Role, &login, &h.Login.Key, &h.Name, &h.Verifier, &h.Seed, &h.LastStep, &suspended, &created)
	if err != nil {
		return HelperRow{}, err
	}
	h.ID, h.Structure, h.Login.Sum = people.HelperID(id), territory.StructureID(structure), [32]byte(login)
	h.Suspended, h.Created = Time(suspended), Time(created)
	return h, nil
}

// Helper returns an account and whether there is one.
func (r *Reader) Helper(id people.HelperID) (h HelperRow, found bool, err error) {
	h, err = scanHelper(r.QueryRow(`SELECT `+helperColumns+` FROM helpers WHERE id = ?`, id[:]))
	found, err = Found(err)
	return h, found, err
}

// HelperByLogin returns the account of a login and whether there is one. The login
// has a keyed hash under every key that rows may have theirs under.
func (r *Reader) HelperByLogin(login []seal.Tag) (h HelperRow, found bool, err error) {
	for _, tag := range login {
		h, err = scanHelper(r.QueryRow(`SELECT `+helperColumns+` FROM helpers WHERE login = ?`, tag.Sum[:]))
		if found, err = Found(err); found || err != nil {
			break
		}
	}
	return h, found, err
}

// AnyHelper tells whether any account exists.
func (r *Reader) AnyHelper() (any bool, err error) {
	err = r.QueryRow(`SELECT EXISTS (SELECT 1 FROM helpers)`).Scan(&any)
	return any, err
}

// PutHelper opens an account. It returns false when the identifier or the login
// is taken.
func (tx *Tx) PutHelper(h HelperRow) (bool, error) {
	result, err := tx.Exec(`INSERT INTO helpers (`+helperColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`,
		h.ID[:], h.Structure[:], string(h.Role), h.Login.Sum[:], h.Login.Key, h.Name, h.Verifier, h.Seed,
		h.LastStep, Millis(h.Suspended), Millis(h.Created))
	return changed(result, err)
}

// UseStep consumes a TOTP step. It returns false when a step as late was used
// already.
func (tx *Tx) UseStep(id people.HelperID, step int64) (bool, error) {
	return changed(tx.Exec(`UPDATE helpers SET last_step = ? WHERE id = ? AND last_step < ?`, step, id[:], step))
}

// SuspendHelper suspends an account on this hub, or reinstates it with the zero
// time.
func (tx *Tx) SuspendHelper(id people.HelperID, since time.Time) error {
	_, err := tx.Exec(`UPDATE helpers SET suspended = ? WHERE id = ?`, Millis(since), id[:])
	return err
}
