package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// HubApproval is what the département decides of a hub that asks.
type HubApproval struct {
	// Fingerprint is what the site read aloud.
	Fingerprint string
	// Code is the actor's fresh TOTP code; the machine's owner needs none.
	Code string
	// Replace also closes the identity that a recovered hub says it had, and gives
	// it its structures.
	Replace bool
	// Structures are those that the hub serves from now on, besides.
	Structures []territory.StructureID
}

// ApproveHub gives a hub that asks its place: it signs the roster that lists it,
// and the certificate of its authority, constrained to its exact names. It fails
// with NotFound when nothing of the hub waits, Invalid on "fingerprint" when the
// site read another one, Conflict when a name is another hub's, and as every
// edition does.
func (n *Node) ApproveHub(ctx context.Context, by *Actor, hub territory.HubID, a HubApproval) error {
	return n.issue(ctx, by, a.Code, edition{
		kind: journal.KindHubApprove, subject: hub.String(), public: map[string]any{"replace": a.Replace},
		edit: func(tx *store.Tx, r *territory.Roster, root *territory.Root) error {
			q, err := n.waiting(tx.Reader, hub)
			if err != nil {
				return err
			}
			heard, err := heardOfLost(tx.Reader, q.Request)
			if err != nil {
				return err
			}
			if err := a.Admit(r, q.Request, heard); err != nil {
				return err
			}
			certificate, err := certify(*root, r, q.Request, tx)
			if err != nil {
				return err
			}
			return tx.DecideRequest(hub, RequestApproved, certificate)
		},
	})
}

// heardOfLost are where the logs of the hub that a request says was lost end, as
// far as this one heard.
func heardOfLost(r *store.Reader, q territory.Request) ([]territory.Cut, error) {
	if q.Replaces == nil {
		return nil, nil
	}
	return cutsOf(r, q.Replaces.Hub)
}

// Admit writes the hub into the roster, without signing anything. heard are the
// Cuts of the hub it replaces, where it replaces one. It fails as ApproveHub says.
func (a HubApproval) Admit(r *territory.Roster, q territory.Request, heard []territory.Cut) error {
	if !q.Fits(a.Fingerprint) {
		return fault.Errorf(fault.Invalid,
			"Cette empreinte n’est pas celle de la demande. Ne l’inscrivez pas\u00a0: faites relire l’empreinte au site, caractère par caractère. Si elle diffère encore, refusez la demande.",
			"the fingerprint is not the request's").On("fingerprint")
	}
	if known, listed := r.Hub(q.Hub.ID); listed && known.State == territory.HubExpelled {
		return expelled(q.Hub.ID)
	}
	if lost := q.Replaces; lost != nil && !a.Replace {
		if was, listed := r.Hub(lost.Hub); listed && was.State == territory.HubActive && sharesName(was, q.Hub) {
			return fault.Errorf(fault.Conflict, "Ce relais remplace «\u00a0"+was.Name+"\u00a0» et reprend ses adresses\u00a0: cochez qu’il le remplace, une fois que le site l’a confirmé.",
				"it says that it replaces %s, %s, whose names it takes: once the site confirmed it aloud, add --replace", lost.Hub, was.Name).On("replace")
		}
	}
	h := r.Enrol(q.Hub)
	if a.Replace {
		if err := replaces(r, q, h.ID, heard); err != nil {
			return err
		}
	}
	for i := range r.Structures {
		s := &r.Structures[i]
		if slices.Contains(a.Structures, s.ID) && !s.ServedBy(h.ID) {
			s.Serving = append(s.Serving, h.ID)
		}
	}
	return nil
}

// sharesName tells whether two hubs would answer to one host name.
func sharesName(a, b territory.Hub) bool {
	return slices.ContainsFunc(a.AllNames(), func(name string) bool { return slices.Contains(b.AllNames(), name) })
}

// replaces closes the hub that was lost: where it says that its logs ended, or
// where this hub heard more.
func replaces(r *territory.Roster, q territory.Request, h territory.HubID, heard []territory.Cut) error {
	if q.Replaces == nil {
		return fault.Errorf(fault.Invalid, "Ce relais n’en remplace aucun.", "%s replaces no hub", h).On("replace")
	}
	lost := territory.Replaced{Hub: q.Replaces.Hub, Cuts: latest(q.Replaces.Cuts, heard)}
	if err := r.Replace(lost, h); err != nil {
		return fault.New(fault.Conflict, "Le relais qu’il dit remplacer n’est pas dans le registre.", err).On("replace")
	}
	return nil
}

// certify signs the certificate of the hub's authority; nil where none was asked
// for.
func certify(root territory.Root, r *territory.Roster, q territory.Request, tx *store.Tx) ([]byte, error) {
	if len(q.Authority) == 0 {
		return nil, nil
	}
	h, _ := r.Hub(q.Hub.ID)
	return root.Authority().Certify(h, q.Authority, tx.Now)
}

// SettleHub is ApproveHub where the root is elsewhere: the roster and the
// certificate were signed with its file. The roster must list the hub under the
// keys of its request, and the certificate be that of its authority. It fails
// with NotFound when nothing of the hub waits, Invalid for what is not for it,
// and Stale when a roster of that version or a later one came meanwhile.
func (n *Node) SettleHub(ctx context.Context, hub territory.HubID, roster, certificate []byte) error {
	taken, err := n.openSigned(roster)
	if err != nil {
		return fmt.Errorf("approve %s: %w", hub, err)
	}
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		q, err := n.waiting(tx.Reader, hub)
		if err != nil {
			return err
		}
		if err := settles(taken.Roster, q.Request, certificate); err != nil {
			return err
		}
		newer, err := n.takeRoster(tx, taken)
		if errors.Is(err, errRootMoved) || err == nil && !newer {
			return fault.New(fault.Stale, "Le registre a changé entre-temps. Recommencez.", cmp.Or(err, fmt.Errorf("roster %d is not newer", taken.Version)))
		}
		if err != nil {
			return err
		}
		if err := tx.DecideRequest(hub, RequestApproved, certificate); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindHubApprove, Actor: actorMachine, Subject: hub.String(), Public: map[string]any{"elsewhere": true}})
	})
	if err != nil {
		return fmt.Errorf("approve %s: %w", hub, err)
	}
	n.rosterTaken(ctx, taken)
	return nil
}

// settles tells whether roster and certificate are what a request asked for.
func settles(r *territory.Roster, q territory.Request, certificate []byte) error {
	h, listed := r.Hub(q.Hub.ID)
	if !listed || h.State != territory.HubActive || string(h.Witness) != string(q.Hub.Witness) || h.Recipient != q.Hub.Recipient {
		return fault.Errorf(fault.Invalid, "Ce registre n’inscrit pas ce relais, ou pas avec ses clés.", "the roster does not list %s as it asked", q.Hub.ID)
	}
	if len(certificate) == 0 {
		return nil
	}
	if err := r.CheckCertificate(h, q.Authority, certificate); err != nil {
		return fault.New(fault.Invalid, "Ce certificat n’est pas celui de ce relais.", err)
	}
	return nil
}

// RefuseHub turns a request down. The invitation is used up. It fails with
// NotFound when nothing of the hub waits.
func (n *Node) RefuseHub(ctx context.Context, by *Actor, hub territory.HubID) error {
	if err := administers(by); err != nil {
		return err
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := waitingRow(tx.Reader, hub); err != nil {
			return err
		}
		if err := tx.DecideRequest(hub, RequestRefused, nil); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindHubRefuse, Actor: actorOf(by), Subject: hub.String()})
	})
	if err != nil {
		return fmt.Errorf("refuse %s: %w", hub, err)
	}
	return nil
}
