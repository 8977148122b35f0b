package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/territory"
)

// A Request is a hub that asks for its place in the territory.
type Request struct {
	territory.Request
	Fingerprint string // read aloud before it is approved
	Site        string // whom the invitation was for
	Received    time.Time
	// Known is the roster's entry when the hub is listed already, under these
	// keys: it asks for another name, address or certificate.
	Known *territory.Hub
}

// Enrolled is what a hub is told of its request.
type Enrolled struct {
	State       store.RequestState
	Fingerprint string
	// Roster and Certificate come with approval: the signed roster that lists the
	// hub, and its authority's certificate, DER, nil where none was asked for.
	Roster      []byte
	Certificate []byte
}

// RequestState is what became of a hub's request.
type RequestState = store.RequestState

// The states of a request.
const (
	RequestWaiting  = store.RequestWaiting
	RequestApproved = store.RequestApproved
	RequestRefused  = store.RequestRefused
)

// TakeRequest takes the request of a hub that holds an invitation's secret, and
// says what became of it: asking again is how it learns. An invitation serves one
// hub, whose connection must have proved that it holds the identity in the
// request. It fails with Forbidden for a secret that opens nothing, or no more,
// Conflict for one that another hub used, and Invalid for what no roster could
// list.
func (n *Node) TakeRequest(ctx context.Context, secret territory.InviteSecret, text []byte) (Enrolled, error) {
	asked, err := territory.ParseRequest(text, n.birth.Territory)
	if err == nil { // a roster looks at its beginning only, and every dossier is sealed to it
		_, err = age.ParseX25519Recipient(asked.Hub.Recipient)
	}
	if err != nil {
		return Enrolled{}, fault.New(fault.Invalid, "La demande de ce relais ne peut pas être prise.", err)
	}
	done, err := n.requested(ctx, secret, asked, text)
	if err != nil {
		return Enrolled{}, fmt.Errorf("request of %s: %w", asked.Hub.ID, err)
	}
	return done, nil
}

// requested reads first: a hub that waits asks every other second, and a change
// is made once.
func (n *Node) requested(ctx context.Context, secret territory.InviteSecret, asked territory.Request, text []byte) (done Enrolled, err error) {
	var known bool
	look := func(r *store.Reader) (err error) {
		done, known, err = n.enrolled(r, secret, asked, text)
		return err
	}
	if err := n.db.Read(ctx, look); err != nil || known {
		return done, err
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if err := look(tx.Reader); err != nil || known {
			return err
		}
		done = Enrolled{State: RequestWaiting, Fingerprint: asked.Fingerprint()}
		return n.keepRequest(tx, secret, asked.Hub.ID, text)
	})
	return done, err
}

// enrolled answers for a request that is kept as it is asked, and refuses one
// whose invitation does not let it ask.
func (n *Node) enrolled(r *store.Reader, secret territory.InviteSecret, asked territory.Request, text []byte) (done Enrolled, known bool, err error) {
	i, found, err := r.InvitationBySecret(secret.Hash())
	if err != nil {
		return done, false, err
	}
	if roster := n.Roster(); found && roster != nil {
		if h, listed := roster.Hub(asked.Hub.ID); listed && h.State == territory.HubExpelled {
			return done, false, expelled(h.ID)
		}
	}
	if err := n.usable(r, i, found, asked.Hub.ID); err != nil {
		return done, false, err
	}
	q, found, err := r.Request(asked.Hub.ID)
	if err != nil || !found || q.Invitation != i.ID {
		return done, false, err
	}
	if q.State == RequestWaiting && string(q.Text) != string(text) {
		return done, false, n.mends(i, q) // it has another fingerprint then
	}
	done = Enrolled{State: q.State, Fingerprint: asked.Fingerprint()}
	if q.State == RequestApproved {
		done.Roster, done.Certificate = n.RosterNote(), q.Certificate
	}
	return done, true, nil
}

func expelled(hub territory.HubID) error {
	return fault.Errorf(fault.Conflict, "Ce relais a été exclu du territoire. Il lui faut une nouvelle identité pour revenir.", "%s is expelled", hub)
}

// usable tells why an invitation does not let a hub ask. The answer is to whoever
// holds the secret; it says what to do.
func (n *Node) usable(r *store.Reader, i store.InvitationRow, found bool, hub territory.HubID) error {
	again := " Demandez-en une nouvelle au département."
	switch {
	case !found:
		return fault.Errorf(fault.Forbidden, "Cette invitation n’est pas connue ici."+again, "no invitation has this secret")
	case !i.Withdrawn.IsZero():
		return fault.Errorf(fault.Forbidden, "Cette invitation a été retirée."+again, "the invitation was withdrawn")
	case i.Hub == hub:
		return nil // it asks again, or comes for the answer
	case !i.Hub.IsZero():
		when, at, err := n.usedWhen(r, i)
		if err != nil {
			return err
		}
		return fault.Errorf(fault.Conflict, "Cette invitation a déjà servi"+when+"."+again, "the invitation was used already%s", at)
	case !n.now().Before(i.Expires):
		return fault.Errorf(fault.Forbidden, "Cette invitation n’est plus valable."+again, "the invitation ended at %s", i.Expires.Format(time.RFC3339))
	}
	return nil
}

// usedWhen says when an invitation was used, in French and in English; nothing where
// that is not kept any more. Who used it is not for who holds the same code.
func (n *Node) usedWhen(r *store.Reader, i store.InvitationRow) (french, english string, err error) {
	q, found, err := r.Request(i.Hub)
	if err != nil || !found || q.Invitation != i.ID {
		return "", "", err
	}
	return " " + people.When(q.Received, n.now(), n.zone()), ", at " + q.Received.UTC().Format(time.RFC3339), nil
}

// mendEvery is how often a hub may ask otherwise than before: each time is an
// entry in the journal for ever.
const mendEvery = time.Minute

// mends tells why a hub may not mend what it asked.
func (n *Node) mends(i store.InvitationRow, q store.RequestRow) error {
	now := n.now()
	if !now.Before(i.Expires) {
		return fault.Errorf(fault.Forbidden, "Cette invitation n’est plus valable. Demandez-en une nouvelle au département.", "the invitation ended, and the request is another one")
	}
	if wait := q.Received.Add(mendEvery).Sub(now); wait > 0 {
		return fault.Errorf(fault.Limited, "Une autre demande de ce relais vient d’être reçue. Attendez une minute, puis recommencez.", "another request came less than %v ago", mendEvery).After(wait)
	}
	return nil
}

// keepRequest uses the invitation and keeps the request.
func (n *Node) keepRequest(tx *store.Tx, secret territory.InviteSecret, hub territory.HubID, text []byte) error {
	i, _, err := tx.InvitationBySecret(secret.Hash())
	if err != nil {
		return err
	}
	if err := tx.UseInvitation(i.ID, hub); err != nil {
		return err
	}
	if err := tx.PutRequest(store.RequestRow{Hub: hub, Invitation: i.ID, Text: text, Received: tx.Now}); err != nil {
		return err
	}
	return n.note(tx, entry{
		Kind: journal.KindHubRequest, Actor: hub.String(), Subject: hub.String(),
		Public: map[string]any{"invitation": InvitationID(i.ID).String()},
	})
}

// Requests lists the hubs that wait for an answer, the oldest first.
func (n *Node) Requests(ctx context.Context) (list []Request, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.WaitingRequests()
		for _, row := range rows {
			q, err := n.request(r, row)
			if err != nil { // of an earlier version: it asks again, and must not hide the others
				n.log.WarnContext(ctx, "a request is not listed", "err", err)
				continue
			}
			list = append(list, q)
		}
		return err
	})
	return list, err
}

// Request returns the request of a hub that waits. It fails with NotFound.
func (n *Node) Request(ctx context.Context, hub territory.HubID) (q Request, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		q, err = n.waiting(r, hub)
		return err
	})
	return q, err
}

func (n *Node) waiting(r *store.Reader, hub territory.HubID) (Request, error) {
	row, err := waitingRow(r, hub)
	if err != nil {
		return Request{}, err
	}
	return n.request(r, row)
}

func waitingRow(r *store.Reader, hub territory.HubID) (store.RequestRow, error) {
	row, found, err := r.Request(hub)
	if err == nil && (!found || row.State != RequestWaiting) {
		err = fault.Errorf(fault.NotFound, "Aucune demande de ce relais n’attend de réponse.", "no request of %s waits", hub)
	}
	return row, err
}

func (n *Node) request(r *store.Reader, row store.RequestRow) (q Request, err error) {
	q.Request, err = territory.ParseRequest(row.Text, n.birth.Territory)
	if err != nil {
		return q, fmt.Errorf("request of %s as kept: %w", row.Hub, err)
	}
	i, _, err := r.Invitation(row.Invitation)
	if err != nil {
		return q, err
	}
	q.Fingerprint, q.Site, q.Received = q.Request.Fingerprint(), i.Site, row.Received
	if roster := n.Roster(); roster != nil {
		if h, listed := roster.Hub(row.Hub); listed {
			q.Known = &h
		}
	}
	return q, nil
}

// Inviting tells whether a hub may come: an invitation waits, or a request that
// was made lately. Otherwise nobody unknown is listened to.
func (n *Node) Inviting(ctx context.Context) bool {
	var open bool
	err := n.db.ReadOne(ctx, func(r *store.Reader) (err error) {
		open, err = r.Inviting(n.now(), n.now().Add(-maxInvitationLife))
		return err
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		n.log.Warn("open invitations are not known", "err", err)
	}
	return open
}
