package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"relais/node"
	"relais/node/territory"
	"relais/webui"
)

func territoryFound(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory found [--config FILE] [--keep-root] [--next FILE] --passphrase-file FILE FOLDER")
	config := f.String("config", defaultConfig, "configuration `file` of the hub")
	keep := f.Bool("keep-root", false, "also seal the root on this hub, which then invites and approves by itself")
	passphraseFile := f.String("passphrase-file", "", "`file` whose first line opens the root")
	next := f.String("next", "", "`file` of the key that follows, where it is not in root.age; with --keep-root")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	if err := notServing(ctx, c); err != nil {
		return err
	}
	passphrase, err := readPassphrase(*passphraseFile)
	if err != nil {
		return err
	}
	folder := territoryFolder(f.Arg(0))
	r, err := folder.draft()
	if err != nil {
		return err
	}
	root, err := openRoot(string(folder), passphrase, *next)
	if err == nil && *keep {
		err = rotatable(root)
	}
	if err != nil {
		return err
	}
	err = withNode(ctx, c, func(n *node.Node) error {
		signed, err := found(ctx, c, n, root, r, territory.RosterDays)
		if err == nil && *keep {
			err = n.KeepRoot(ctx, nil, root)
		}
		return errors.Join(err, folder.publish(r, signed))
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "roster version %d lists this hub, the territory's first\n", r.Version)
	return nil
}

// notServing refuses while a hub runs. The root's file is opened by whoever found
// the territory; a hub that serves never sees it, nor what its pages would show
// between the roster and the certificate.
func notServing(ctx context.Context, c Config) error {
	var running status
	err := askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &running)
	if unreachable(err) {
		return nil
	}
	return cmp.Or(err, fmt.Errorf("a hub runs on %s: stop it (systemctl stop relais.socket relais.service), found again, and start it; nothing was signed", filepath.Clean(c.Hub.DataDir)))
}

// found makes a hub the first of its territory: it stands in the roster, which it
// takes and which is returned as signed, and the territory certifies its
// authority.
func found(ctx context.Context, c Config, n *node.Node, root territory.Root, r *territory.Roster, days int) (signed []byte, err error) {
	q, err := readRequest(filepath.Join(c.Hub.DataDir, requestFile), c.Hub.Territory)
	if err != nil {
		return nil, err
	}
	if q.Hub.ID != n.Self() {
		return nil, errors.New("hub.json is not this hub's request: start the hub once, it leaves its own")
	}
	h, now := r.Enrol(q.Hub), time.Now()
	if signed, err = root.Issue(r, now, days); err != nil {
		return nil, fmt.Errorf("the draft cannot be issued: %w", err)
	}
	if err := n.InstallRoster(ctx, signed); err != nil {
		return nil, err
	}
	certificate, err := root.Authority().Certify(h, q.Authority, now)
	if err != nil {
		return signed, err
	}
	return signed, webui.CertifyAuthority(ctx, n.Secrets(), c.Web.hostNames(), certificate, root.Authority().Certificate())
}
