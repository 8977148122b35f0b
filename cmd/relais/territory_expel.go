package main

import (
	"context"
	"fmt"
	"net/http"

	"relais/node"
	"relais/node/territory"
)

var (
	expelVerb = hubVerb[territory.HubID, versioned]{"/hubs/expel", func(ctx context.Context, n *node.Node, hub territory.HubID) (versioned, error) {
		return versionOf(n, n.Expel(ctx, nil, "", hub))
	}}
	cutsVerb = hubVerb[territory.HubID, []territory.Cut]{"/hubs/cuts", func(ctx context.Context, n *node.Node, hub territory.HubID) ([]territory.Cut, error) {
		return n.Cuts(ctx, hub)
	}}
)

func territoryExpel(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory expel [--config FILE] [--root FOLDER --passphrase-file FILE] HUB")
	config := f.String("config", defaultConfig, "configuration `file` of a hub of the territory: where it knows the logs is where they are cut")
	root := rootFlags(f)
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	held, err := registryVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return err
	}
	r, err := held.open()
	if err != nil {
		return err
	}
	h, err := findHub(r, f.Arg(0))
	if err != nil {
		return err
	}
	done, err := expel(ctx, c, root, r, h.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s %s is expelled: what this hub heard from it stands, and every stop that another hub had received; nothing else it says does; roster version %d\n", h.ID, h.Name, done.Version)
	return nil
}

// expel signs on the hub that keeps the root, or with the root's file.
func expel(ctx context.Context, c Config, root *rootFile, r *territory.Roster, hub territory.HubID) (versioned, error) {
	if root.folder == "" {
		return expelVerb.ask(ctx, c, hub)
	}
	cuts, err := cutsVerb.ask(ctx, c, hub)
	if err != nil {
		return versioned{}, err
	}
	return root.sign(r, func(_ territory.Root, publish func() ([]byte, error)) (versioned, error) {
		if err := r.Expel(hub, cuts); err != nil {
			return versioned{}, err
		}
		signed, err := publish()
		if err != nil {
			return versioned{}, err
		}
		return installRoster(ctx, c, signed)
	})
}

// installRoster gives a roster to the hub, running or not.
func installRoster(ctx context.Context, c Config, signed []byte) (done versioned, err error) {
	err = askHub(ctx, c.Hub.DataDir, http.MethodPost, "/roster", signed, &done)
	if !unreachable(err) {
		return done, err
	}
	return done, withNode(ctx, c, func(n *node.Node) (err error) {
		done, err = versionOf(n, n.InstallRoster(ctx, signed))
		return err
	})
}
