package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/node/territory"
)

// runInstallRoster takes a roster from a file, the first or a newer one. The
// root key is given once: later rosters must be signed by the same, or by the one it
// announced.
func runInstallRoster(ctx context.Context, args []string, _, stderr io.Writer) error {
	f, place := flags("install-roster", " ROSTER", stderr)
	root := f.String("root", "", "the territory's root `key`, name+hash+key, or a file that holds it; required the first time")
	if err := parse(f, args, 1); err != nil {
		return err
	}
	signed, err := os.ReadFile(f.Arg(0))
	if err != nil {
		return err
	}
	if *root != "" {
		if *root, err = keyOrFile(*root); err != nil {
			return err
		}
	}
	key, err := service.LoadIdentity(place.data)
	if err != nil {
		return err
	}
	self, err := service.HubIDOf(key)
	if err != nil {
		return err
	}
	at, err := place.database()
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	defer db.Close()
	var announced []byte
	if *root == "" {
		if *root, announced, err = pinned(ctx, db); err != nil {
			return err
		}
	}
	return install(ctx, db, self, *root, announced, signed)
}

// pinned is the root of the database, and what its roster announces of the next.
func pinned(ctx context.Context, db *store.DB) (root string, announced []byte, err error) {
	t, err := db.Territory(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("%w: give the root key by --root", err)
	}
	r, err := territory.OpenRoster(t.Note, t.RootKey)
	if err != nil {
		return "", nil, fmt.Errorf("the installed roster: %w", err)
	}
	return t.RootKey, r.NextRoot, nil
}

func install(ctx context.Context, db *store.DB, self territory.HubID, root string, announced, signed []byte) error {
	r, signer, err := territory.OpenNext(signed, root, announced)
	if err != nil {
		return err
	}
	if r.National == nil || r.National.ID != self {
		return fmt.Errorf("%w (this is %s)", service.ErrNotInRoster, self)
	}
	return db.InstallRoster(ctx, store.Territory{
		Code: r.Territory, RootKey: signer, Announced: root, Version: r.Version, Note: signed,
	}, time.Now())
}

// keyOrFile takes a note verifier key as it is, or reads the file that holds it.
func keyOrFile(s string) (string, error) {
	if strings.Count(s, "+") >= 2 {
		return s, nil
	}
	text, err := os.ReadFile(s)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("--root %.80q is neither a key name+hash+key nor a file", s)
	}
	return strings.TrimSpace(string(text)), err
}
