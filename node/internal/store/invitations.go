package store

import (
	"database/sql"
	"time"

	"relais/node/territory"
)

// InvitationRow is an invitation as it is kept.
type InvitationRow struct {
	ID        [16]byte
	Secret    [32]byte // its hash
	Site      string   // whom it is for
	Made      time.Time
	Expires   time.Time
	Withdrawn time.Time       // zero: it was not
	Hub       territory.HubID // who used it; zero: nobody
}

const invitationColumns = `id, secret, site, made, expires, withdrawn, hub`

func scanInvitation(scan func(...any) error) (i InvitationRow, err error) {
	var id, secret, hub []byte
	var made, expires, withdrawn int64
	err = scan(&id, &secret, &i.Site, &made, &expires, &withdrawn, &hub)
	copy(i.ID[:], id)
	copy(i.Secret[:], secret)
	copy(i.Hub[:], hub)
	i.Made, i.Expires, i.Withdrawn = Time(made), Time(expires), Time(withdrawn)
	return i, err
}

// PutInvitation keeps a new invitation.
func (tx *Tx) PutInvitation(i InvitationRow) error {
	_, err := tx.Exec(`INSERT INTO invitations (id, secret, site, made, expires) VALUES (?, ?, ?, ?, ?)`,
		i.ID[:], i.Secret[:], i.Site, Millis(i.Made), Millis(i.Expires))
	return err
}

// InvitationBySecret returns the invitation of a secret's hash, and whether there
// is one.
func (r *Reader) InvitationBySecret(hash [32]byte) (InvitationRow, bool, error) {
	i, err := scanInvitation(r.QueryRow(`SELECT `+invitationColumns+` FROM invitations WHERE secret = ?`, hash[:]).Scan)
	found, err := Found(err)
	return i, found, err
}

// Invitation returns one invitation, and whether it is there.
func (r *Reader) Invitation(id [16]byte) (InvitationRow, bool, error) {
	i, err := scanInvitation(r.QueryRow(`SELECT `+invitationColumns+` FROM invitations WHERE id = ?`, id[:]).Scan)
	found, err := Found(err)
	return i, found, err
}

// Invitations lists those that nobody used, were not withdrawn and end after an
// instant, the newest first.
func (r *Reader) Invitations(after time.Time) ([]InvitationRow, error) {
	var list []InvitationRow
	rows, err := r.Query(`SELECT `+invitationColumns+` FROM invitations
		WHERE hub IS NULL AND withdrawn = 0 AND expires > ? ORDER BY made DESC, id`, Millis(after))
	return list, Each(rows, err, func(rows *sql.Rows) error {
		i, err := scanInvitation(rows.Scan)
		list = append(list, i)
		return err
	})
}

// UseInvitation notes who used an invitation.
func (tx *Tx) UseInvitation(id [16]byte, hub territory.HubID) error {
	_, err := tx.Exec(`UPDATE invitations SET hub = ? WHERE id = ?`, hub[:], id[:])
	return err
}

// WithdrawInvitation withdraws one that nobody used, and tells whether there was
// one.
func (tx *Tx) WithdrawInvitation(id [16]byte) (bool, error) {
	return changed(tx.Exec(`UPDATE invitations SET withdrawn = ? WHERE id = ? AND hub IS NULL AND withdrawn = 0`, Millis(tx.Now), id[:]))
}
