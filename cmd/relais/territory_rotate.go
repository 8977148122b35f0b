package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"relais/node"
	"relais/node/territory"
)

var (
	rotateVerb = hubVerb[unsaid, versioned]{"/root/rotate", func(ctx context.Context, n *node.Node, _ unsaid) (versioned, error) {
		return versionOf(n, n.RotateRoot(ctx, nil, ""))
	}}
	exportRootVerb = hubVerb[unsaid, []byte]{"/root/export", func(ctx context.Context, n *node.Node, _ unsaid) ([]byte, error) {
		return n.ExportRoot(ctx)
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
	if root.folder == "" {
		fmt.Fprintln(std.out, "the copies of the root before sign nothing any more: relais territory keep-root --export FOLDER makes the one to put away")
	}
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
	key, folder, passphrase, err := root.open(r)
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
	return publishing(folder, r, key, func(_ territory.Root, publish func() ([]byte, error)) (versioned, error) {
		signed, err := publish()
		if err != nil {
			return versioned{}, err
		}
		return installRoster(ctx, c, signed)
	})
}

func territoryKeepRoot(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory keep-root [--config FILE] --passphrase-file FILE [--next FILE | --export] FOLDER")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that is to keep it")
	passphraseFile := f.String("passphrase-file", "", "`file` whose first line opens the root")
	next := f.String("next", "", "`file` of the key that follows, where it is not in root.age")
	export := f.Bool("export", false, "write the root that the hub keeps, as it is now, into the folder, encrypted: the copy to put away, after each rotation there")
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
	if *export {
		return exportRoot(ctx, std, c, f.Arg(0), passphrase)
	}
	root, err := openRoot(f.Arg(0), passphrase, *next)
	if err == nil {
		err = rotatable(root)
	}
	if err != nil {
		return err
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

// rotatable refuses to seal a root on a hub that could never rotate it.
func rotatable(root territory.Root) error {
	if root.Next() == "" {
		return errors.New("the key that follows is not in root.age: name its file with --next, without it the hub could not rotate the root")
	}
	return nil
}

// exportRoot writes the root that a hub keeps into a folder, which then serves
// like the one it came from: a hub that is lost takes no territory with it.
func exportRoot(ctx context.Context, std stdio, c Config, dir, passphrase string) error {
	text, err := exportRootVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return err
	}
	root, err := territory.ParseRoot(text)
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	folder := territoryFolder(dir)
	if draft, err := folder.draft(); err == nil && draft.Territory != r.Territory {
		return fmt.Errorf("%s is of territory %q, the hub of %q: nothing was written", folder, draft.Territory, r.Territory)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := keepRoot(dir, root, passphrase, ""); err != nil {
		return err
	}
	if err := folder.publish(r, []byte(held.Note)); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s holds the root and roster %d: put it away, off line\n", folder, r.Version)
	return nil
}
