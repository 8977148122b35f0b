package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"relais/node/durable"

	"relais/node/mandate"
	"relais/node/territory"
)

// defaultRosterDays is how long a roster holds unless told otherwise: a year of
// hubs asleep, and a meeting a year to renew it.
const defaultRosterDays = 400

func territoryIssue(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory issue [--days N] --passphrase-file FILE FOLDER")
	days := f.Int("days", defaultRosterDays, "`days` until it should be renewed")
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
	if err := issueRoster(folder, r, passphrase, *days, time.Now()); err != nil {
		return err
	}
	fmt.Fprintf(std.out, "%s version %d, until %s\n", folder.path(rosterFile), r.Version, r.ExpiresAt.Format(time.DateOnly))
	return nil
}

// issueRoster signs the draft as the next version and keeps both. The note is
// written last: a folder left in between has skipped a number, nothing worse.
func issueRoster(folder territoryFolder, r *territory.Roster, passphrase string, days int, now time.Time) error {
	root, err := openRoot(string(folder), passphrase)
	if err != nil {
		return err
	}
	r.Version++
	r.IssuedAt = now.UTC().Truncate(time.Second)
	r.ExpiresAt = r.IssuedAt.AddDate(0, 0, days)
	if err := r.Validate(); err != nil {
		return fmt.Errorf("the draft cannot be issued: %w", err)
	}
	signed, err := r.Sign(root)
	if err != nil {
		return err
	}
	if err := folder.save(r); err != nil {
		return err
	}
	return durable.Write(folder.path(rosterFile), signed, 0o644)
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
