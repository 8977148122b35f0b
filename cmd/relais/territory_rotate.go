package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relais/node"
	"relais/node/territory"
)

var (
	rotateVerb = hubVerb[unsaid, versioned]{"/root/rotate", func(ctx context.Context, n *node.Node, _ unsaid) (versioned, error) {
		return versionOf(n, n.RotateRoot(ctx, nil, ""))
	}}
	keepRootVerb = hubVerb[[]byte, unsaid]{"/root", func(ctx context.Context, n *node.Node, text []byte) (unsaid, error) {
		root, err := territory.ParseRoot(text)
		if err != nil {
			return unsaid{}, err
		}
		return unsaid{}, n.KeepRoot(ctx, nil, root)
	}}
)

func territoryRotateRoot(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory rotate-root [--config FILE] [--root FOLDER --passphrase-file FILE [--next FILE]]")
	config := f.String("config", defaultConfig, "configuration `file` of the hub")
	root := rootFlags(f)
	f.StringVar(&root.next, "next", "", "`file` of the key that follows, where it is not in root.age; the one after it is written there")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	done, err := rotate(ctx, c, root)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "another root signs from now on; roster version %d\n", done.Version)
	return nil
}

// rotate lets the root that was announced sign. With files, the new root is on
// the disk before anything that it signed leaves.
func rotate(ctx context.Context, c Config, root *rootFile) (versioned, error) {
	if root.folder == "" {
		return rotateVerb.ask(ctx, c, unsaid{})
	}
	held, err := registryVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return versioned{}, err
	}
	r, err := held.open()
	if err != nil {
		return versioned{}, err
	}
	passphrase, err := readPassphrase(root.passphrase)
	if err != nil {
		return versioned{}, err
	}
	key, err := openRoot(root.folder, passphrase, root.next)
	if err != nil {
		return versioned{}, err
	}
	if key.Public() == held.Root { // else the files turned already, and the hub was not told
		if key, err = key.Turn(); err != nil {
			return versioned{}, fmt.Errorf("%w: name its file with --next", err)
		}
		if err := keepRoot(root.folder, key, passphrase, root.next); err != nil {
			return versioned{}, err
		}
	}
	signed, err := key.Issue(r, time.Now(), territory.RosterDays)
	if err != nil {
		return versioned{}, err
	}
	done, err := installRoster(ctx, c, signed)
	if err != nil {
		return done, err
	}
	return done, territoryFolder(root.folder).publish(r, signed)
}

func territoryKeepRoot(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory keep-root [--config FILE] --passphrase-file FILE [--next FILE] FOLDER")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that is to keep it")
	passphraseFile := f.String("passphrase-file", "", "`file` whose first line opens the root")
	next := f.String("next", "", "`file` of the key that follows, where it is not in root.age")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	passphrase, err := readPassphrase(*passphraseFile)
	if err != nil {
		return err
	}
	root, err := openRoot(f.Arg(0), passphrase, *next)
	if err != nil {
		return err
	}
	if root.Next() == "" {
		return errors.New("the key that follows is not in root.age: name its file with --next, without it the hub could not rotate the root")
	}
	text, err := root.Text()
	if err != nil {
		return err
	}
	if _, err := keepRootVerb.ask(ctx, c, text); err != nil {
		return err
	}
	fmt.Fprintln(std.out, "this hub keeps the territory's root: it invites, approves and expels by itself")
	return nil
}
