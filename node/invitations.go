package node

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// How long an invitation is good for, and how many may be open at once.
const (
	InvitationLife    = 7 * 24 * time.Hour // unless told otherwise
	maxInvitationLife = 31 * 24 * time.Hour
	maxInvitations    = 100
)

type inviteKind struct{}

func (inviteKind) Prefix() string { return "i" }

// InvitationID names an invitation once its code is shown; it is no secret.
type InvitationID = id.ID[inviteKind]

// Invited is an invitation that waits for its hub.
type Invited struct {
	ID      InvitationID
	Site    string // whom it is for, as somebody wrote it
	Made    time.Time
	Expires time.Time
}

// Invite makes a one-time code by which a new hub asks for its place here. site
// says whom it is for, on the list; life is 0 for the usual. by is nil for the
// machine's owner. The code is shown once: what is kept is its hash. It fails
// with Forbidden, Invalid on "site" or "life", Limited, and Unavailable where no
// other hub could call this one.
func (n *Node) Invite(ctx context.Context, by *Actor, site string, life time.Duration) (Invited, string, error) {
	if err := administers(by); err != nil {
		return Invited{}, "", err
	}
	if life == 0 {
		life = InvitationLife
	}
	site, err := parseSite(site)
	if err == nil {
		err = checkLife(life)
	}
	if err != nil {
		return Invited{}, "", err
	}
	var made Invited
	var code string
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		made, code, err = n.invite(tx, by, site, life)
		return err
	})
	if err != nil {
		return Invited{}, "", fmt.Errorf("invite a hub: %w", err)
	}
	return made, code, nil
}

func (n *Node) invite(tx *store.Tx, by *Actor, site string, life time.Duration) (made Invited, code string, err error) {
	i, err := n.invitation()
	if err != nil {
		return made, "", err
	}
	if open, err := tx.Invitations(tx.Now); err != nil {
		return made, "", err
	} else if len(open) >= maxInvitations {
		return made, "", fault.Errorf(fault.Limited, "Trop d’invitations attendent déjà. Retirez celles qui ne servent plus.", "%d invitations are open", len(open))
	}
	i.Expires = tx.Now.Add(life).UTC().Truncate(time.Second)
	if code, err = i.Code(); err != nil {
		return made, "", err
	}
	made = Invited{ID: id.New[inviteKind](), Site: site, Made: tx.Now, Expires: i.Expires}
	err = tx.PutInvitation(store.InvitationRow{ID: made.ID, Secret: i.Secret.Hash(), Site: site, Made: made.Made, Expires: made.Expires})
	if err != nil {
		return made, "", err
	}
	return made, code, n.note(tx, entry{
		Kind: journal.KindHubInvite, Actor: actorOf(by), Subject: made.ID.String(),
		Public: map[string]any{"until": i.Expires.UnixMilli()},
	})
}

// invitation is what a code made here says, but for its end.
func (n *Node) invitation() (i territory.Invitation, err error) {
	roster := n.Roster()
	if roster == nil {
		return i, fault.Errorf(fault.Unavailable, "Ce relais n’a pas encore le registre de son territoire\u00a0: il ne peut inviter personne.", "no roster yet")
	}
	self, listed := roster.Hub(n.self)
	if !listed || self.State != territory.HubActive {
		return i, fault.Errorf(fault.Unavailable, "Ce relais n’est pas inscrit au registre du territoire\u00a0: il ne peut inviter personne.", "this hub is not an active member")
	}
	if len(self.Addresses) == 0 {
		return i, fault.Errorf(fault.Unavailable,
			"Aucun autre relais ne peut appeler celui-ci\u00a0: il n’annonce pas d’adresse. Invitez depuis un relais qui en a une.", "the roster gives this hub no address")
	}
	return territory.Invitation{
		Territory: n.birth.Territory, Root: territory.RootFingerprint(n.RootKey()), MinVersion: roster.Version,
		Hub: n.self, Addresses: self.Addresses[:min(len(self.Addresses), territory.MaxAddresses)], Secret: territory.NewSecret(),
	}, nil
}

// Invitations lists those that still wait for their hub, the newest first.
func (n *Node) Invitations(ctx context.Context) (list []Invited, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		rows, err := r.Invitations(n.now())
		for _, row := range rows {
			list = append(list, Invited{row.ID, row.Site, row.Made, row.Expires})
		}
		return err
	})
	return list, err
}

// Uninvite withdraws an invitation. It fails with NotFound when nothing waits
// under it: used, ended or withdrawn already.
func (n *Node) Uninvite(ctx context.Context, by *Actor, invitation InvitationID) error {
	if err := administers(by); err != nil {
		return err
	}
	err := n.db.Write(ctx, func(tx *store.Tx) error {
		if found, err := tx.WithdrawInvitation(invitation); err != nil {
			return err
		} else if !found {
			return fault.Errorf(fault.NotFound, "Cette invitation n’attend plus personne\u00a0: elle a servi, ou elle a été retirée.", "no open invitation %s", invitation)
		}
		return n.note(tx, entry{Kind: journal.KindHubUninvite, Actor: actorOf(by), Subject: invitation.String()})
	})
	if err != nil {
		return fmt.Errorf("withdraw invitation %s: %w", invitation, err)
	}
	return nil
}

// parseSite cleans what somebody wrote on an invitation.
func parseSite(site string) (string, error) {
	site = strings.TrimSpace(site)
	if len(site) > maxNameOctets || strings.ContainsFunc(site, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", fault.Errorf(fault.Invalid, "Le nom du site est trop long, ou contient un caractère qui ne s’écrit pas.", "site of %d octets", len(site)).On("site")
	}
	return site, nil
}

func checkLife(life time.Duration) error {
	if life < time.Minute || life > maxInvitationLife {
		return fault.Errorf(fault.Invalid, "Une invitation vaut de une minute à 31\u00a0jours.", "life of %v", life).On("life")
	}
	return nil
}
