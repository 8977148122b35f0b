package store

import (
	"database/sql"
	"time"

	"relais/node/territory"
)

// RequestState is what became of a hub's request.
type RequestState string

// The states of a request.
const (
	RequestWaiting  RequestState = "waiting"
	RequestApproved RequestState = "approved"
	RequestRefused  RequestState = "refused"
)

// RequestRow is a hub's request as it is kept.
type RequestRow struct {
	Hub         territory.HubID
	Invitation  [16]byte
	Text        []byte
	Received    time.Time
	State       RequestState
	Decided     time.Time // zero while it waits
	Certificate []byte    // DER; nil: none
}

const requestColumns = `hub, invitation, text, received, state, decided, certificate`

func scanRequest(scan func(...any) error) (q RequestRow, err error) {
	var hub, invitation []byte
	var received, decided int64
	err = scan(&hub, &invitation, &q.Text, &received, &q.State, &decided, &q.Certificate)
	copy(q.Hub[:], hub)
	copy(q.Invitation[:], invitation)
	q.Received, q.Decided = Time(received), Time(decided)
	return q, err
}

// Request returns a hub's request, and whether there is one.
func (r *Reader) Request(hub territory.HubID) (RequestRow, bool, error) {
	q, err := scanRequest(r.QueryRow(`SELECT `+requestColumns+` FROM requests WHERE hub = ?`, hub[:]).Scan)
	found, err := Found(err)
	return q, found, err
}

// WaitingRequests lists the requests that nobody decided on, the oldest first.
func (r *Reader) WaitingRequests() ([]RequestRow, error) {
	var list []RequestRow
	rows, err := r.Query(`SELECT `+requestColumns+` FROM requests WHERE state = ? ORDER BY received, hub`, RequestWaiting)
	return list, Each(rows, err, func(rows *sql.Rows) error {
		q, err := scanRequest(rows.Scan)
		list = append(list, q)
		return err
	})
}

// PutRequest keeps a request that waits, in the place of the hub's earlier one.
func (tx *Tx) PutRequest(q RequestRow) error {
	_, err := tx.Exec(`INSERT INTO requests (hub, invitation, text, received, state, decided) VALUES (?, ?, ?, ?, ?, 0)
		ON CONFLICT (hub) DO UPDATE SET invitation = excluded.invitation, text = excluded.text, received = excluded.received,
			state = excluded.state, decided = 0, certificate = NULL`,
		q.Hub[:], q.Invitation[:], q.Text, Millis(q.Received), RequestWaiting)
	return err
}

// DecideRequest notes what became of a request.
func (tx *Tx) DecideRequest(hub territory.HubID, state RequestState, certificate []byte) error {
	_, err := tx.Exec(`UPDATE requests SET state = ?, decided = ?, certificate = ? WHERE hub = ?`,
		state, Millis(tx.Now), certificate, hub[:])
	return err
}

// Inviting tells whether an invitation waits now, or a request was made since.
func (r *Reader) Inviting(now, since time.Time) (open bool, err error) {
	err = r.QueryRow(`SELECT EXISTS (SELECT 1 FROM invitations WHERE hub IS NULL AND withdrawn = 0 AND expires > ?)
		OR EXISTS (SELECT 1 FROM requests WHERE received > ?)`, Millis(now), Millis(since)).Scan(&open)
	return open, err
}
