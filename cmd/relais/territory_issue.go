package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"relais/node"
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
	return writeDurable(folder.path(rosterFile), signed, 0o644)
}

func territoryShow(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory show [--json] [--root-key KEY|FILE] FOLDER|roster.note")
	asJSON := f.Bool("json", false, "print the roster as JSON")
	root := f.String("root-key", "", "the root's public `key`, or a file that holds it: shows a roster, once its signature holds")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	r, err := readRoster(f.Arg(0), *root)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(std.out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return printRoster(std, r)
}

// readRoster returns a folder's draft or, with a root key, a signed roster.
func readRoster(path, root string) (*territory.Roster, error) {
	if root == "" {
		return territoryFolder(path).draft()
	}
	key, err := readRootKey(root)
	if err != nil {
		return nil, err
	}
	signed, err := readBounded(path, maxRosterOctets)
	if err != nil {
		return nil, err
	}
	r, err := territory.OpenRoster(signed, key)
	if err != nil {
		return nil, failWith(exitProof, "%s: %w", path, err)
	}
	return r, nil
}

func printRoster(std stdio, r *territory.Roster) error {
	fmt.Fprintf(std.out, "%s (%s), version %d", r.Name, r.Territory, r.Version)
	if !r.ExpiresAt.IsZero() {
		fmt.Fprintf(std.out, ", issued %s, until %s", r.IssuedAt.Format(time.DateOnly), r.ExpiresAt.Format(time.DateOnly))
	}
	fmt.Fprintln(std.out)
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, h := range r.Hubs {
		fmt.Fprintf(w, "hub\t%d\t%s\t%s\t%s\t%s\t%s\n", h.Index, h.ID, h.Name, h.Assurance, h.State, strings.Join(h.Addresses, " "))
	}
	for _, s := range r.Structures {
		fmt.Fprintf(w, "structure\t\t%s\t%s\t%d scopes\t%s\tserved by %d hubs\n", s.ID, s.Name, len(s.Scopes), s.State, len(s.Serving))
	}
	if n := r.National; n != nil {
		fmt.Fprintf(w, "national\t%d\t%s\t%s\t\t\t%s\n", n.Index, n.ID, n.Name, n.URL)
	}
	return w.Flush()
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

func territoryInstall(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory install [--config FILE] roster.note")
	config := f.String("config", defaultConfig, "configuration `file` of the hub")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	signed, err := readBounded(f.Arg(0), maxRosterOctets)
	if err != nil {
		return err
	}
	var installed struct{ Version uint32 }
	err = askHub(ctx, c.Hub.DataDir, http.MethodPost, "/roster", signed, &installed)
	if unreachable(err) {
		err = withNode(ctx, c, func(n *node.Node) error {
			err := n.InstallRoster(ctx, signed)
			if r := n.Roster(); r != nil {
				installed.Version = r.Version
			}
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("install %s: %w", f.Arg(0), err)
	}
	fmt.Fprintf(std.out, "roster version %d\n", installed.Version)
	return nil
}
