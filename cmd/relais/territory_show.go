package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"relais/node/territory"
)

func territoryShow(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory show [--json] [--root-key KEY|FILE] FOLDER|roster.note")
	asJSON := f.Bool("json", false, "print one JSON object")
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

// readRoster returns a folder's draft or, with a root key, the roster that was
// signed: the note that is named, or the folder's.
func readRoster(path, root string) (*territory.Roster, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if root == "" && !info.IsDir() {
		return nil, failWith(exitUsage, "give --root-key to read a signed roster")
	}
	if root == "" {
		return territoryFolder(path).draft()
	}
	if info.IsDir() {
		path = territoryFolder(path).path(rosterFile)
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
	installed, err := installRoster(ctx, c, signed)
	if err != nil {
		return fmt.Errorf("install %s: %w", f.Arg(0), err)
	}
	fmt.Fprintf(std.out, "roster version %d\n", installed.Version)
	return nil
}
