package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"relais/node"
)

// invited is what invite prints. The code is nowhere else.
type invited struct {
	ID      node.InvitationID `json:"id"`
	Code    string            `json:"code"`
	Expires time.Time         `json:"expires"`
}

// invitation is what invite asks.
type invitation struct {
	Site string        `json:"site"`
	Life time.Duration `json:"life"`
}

var (
	inviteVerb = hubVerb[invitation, invited]{"/invitations", func(ctx context.Context, n *node.Node, in invitation) (invited, error) {
		made, code, err := n.Invite(ctx, nil, in.Site, in.Life)
		return invited{made.ID, code, made.Expires}, err
	}}
	invitationsVerb = hubVerb[unsaid, []node.Invited]{"/invitations/list", func(ctx context.Context, n *node.Node, _ unsaid) ([]node.Invited, error) {
		return n.Invitations(ctx)
	}}
	uninviteVerb = hubVerb[node.InvitationID, unsaid]{"/invitations/withdraw", func(ctx context.Context, n *node.Node, in node.InvitationID) (unsaid, error) {
		return unsaid{}, n.Uninvite(ctx, nil, in)
	}}
)

func territoryInvite(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory invite [--config FILE] [--site NAME] [--life DURATION] [--json] | invite --list | invite --withdraw ID")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that invites")
	site := f.String("site", "", "`name` of the site it is for, on the list of invitations")
	life := f.Duration("life", node.InvitationLife, "how long it is good for: a `duration` such as 48h")
	list := f.Bool("list", false, "list the invitations that wait, instead")
	withdraw := f.String("withdraw", "", "withdraw the invitation with this `identifier`, i_…, instead")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	switch {
	case *list:
		return listInvitations(ctx, std, c)
	case *withdraw != "":
		var id node.InvitationID
		if err := id.UnmarshalText([]byte(*withdraw)); err != nil {
			return failWith(exitUsage, "--withdraw takes an identifier that invite --list prints: %w", err)
		}
		_, err := uninviteVerb.ask(ctx, c, id)
		return err
	}
	made, err := inviteVerb.ask(ctx, c, invitation{*site, *life})
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(made)
	}
	fmt.Fprintln(std.out, made.Code)
	if held, err := registryVerb.ask(ctx, c, unsaid{}); err == nil && !held.Kept {
		fmt.Fprintln(std.err, "\nThis hub does not keep the territory's root: approving here takes its file, --root FOLDER --passphrase-file FILE.")
	}
	fmt.Fprintf(std.err, "\nGood for one hub, until %s; it is shown once. On the new machine, once /etc/relais/relais.toml is set:\n"+
		"  relais join CODE\nor relais join alone, which asks for the code and keeps it out of the list of processes. Then read the fingerprint that it prints aloud, and approve it here:\n"+
		"  relais territory approve --fingerprint 'XXXX XXXX XXXX XXXX'\n", made.Expires.Local().Format(time.DateTime))
	return nil
}

func listInvitations(ctx context.Context, std stdio, c Config) error {
	list, err := invitationsVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, i := range list {
		fmt.Fprintf(w, "%s\t%s\tuntil %s\n", i.ID, i.Site, i.Expires.Local().Format(time.DateTime))
	}
	return w.Flush()
}
