package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"relais/node/mandate"
	"relais/node/territory"
)

func territoryIssue(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory issue [--days N] --passphrase-file FILE FOLDER")
	days := f.Int("days", territory.RosterDays, "`days` until it should be renewed")
	passphraseFile := f.String("passphrase-file", "", "`file` whose first line opens the root")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	if *days < 1 {
		return failWith(exitUsage, "--days must be at least 1")
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
	root, err := openRoot(string(folder), passphrase, "")
	if err != nil {
		return err
	}
	if err := issueRoster(folder, root, r, *days); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s version %d, until %s\n", folder.path(rosterFile), r.Version, r.ExpiresAt.Format(time.DateOnly))
	return nil
}

// issueRoster signs the draft as the next version and keeps both.
func issueRoster(folder territoryFolder, root territory.Root, r *territory.Roster, days int) error {
	signed, err := root.Issue(r, time.Now(), days)
	if err != nil {
		return fmt.Errorf("the draft cannot be issued: %w", err)
	}
	return folder.publish(r, signed)
}

// allScopes are the ten keys, in the order of the mandate's form.
var allScopes = []mandate.Scope{
	mandate.Papiers, mandate.Famille, mandate.Social, mandate.Travail, mandate.Logement,
	mandate.Transports, mandate.Argent, mandate.Justice, mandate.Etranger, mandate.Loisirs,
}

// findScopes checks scope keys; all of them when empty.
func findScopes(wanted []string) ([]string, error) {
	all := make([]string, len(allScopes))
	for i, s := range allScopes {
		all[i] = string(s)
	}
	if len(wanted) == 0 {
		return all, nil
	}
	for _, w := range wanted {
		if !slices.Contains(all, w) {
			return nil, fmt.Errorf("%q is not a scope; they are %s", w, strings.Join(all, ", "))
		}
	}
	return wanted, nil
}
