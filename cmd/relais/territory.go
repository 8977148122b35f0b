package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"relais/node/durable"
	"relais/node/territory"
)

// A territory folder is what the département keeps, on a machine that need not
// be on any network:
//
//	draft.json   the roster being prepared
//	root.age     the root's secret half, encrypted under a passphrase
//	root.pub     its public half
//	roster.note  the roster as last issued, signed: this goes to the hubs
type territoryFolder string

const (
	draftFile  = "draft.json"
	rosterFile = "roster.note"

	maxRosterOctets = 4 * territory.MaxRosterOctets
)

func (f territoryFolder) path(name string) string { return filepath.Join(string(f), name) }

// vacant refuses a folder that holds any of a territory's files, whichever is
// lost: a root that is written over is gone for ever, and every hub with it.
func (f territoryFolder) vacant() error {
	for _, name := range []string{draftFile, rootSecretFile, rootPublicFile, rosterFile} {
		if _, err := os.Lstat(f.path(name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s already holds a territory (%s): nothing in it is replaced; restore what is lost from a copy, or name another folder", f, name)
		}
	}
	return nil
}

func (f territoryFolder) draft() (*territory.Roster, error) {
	var r territory.Roster
	if err := readJSON(f.path(draftFile), &r); err != nil {
		return nil, fmt.Errorf("not a territory folder: %w", err)
	}
	return &r, nil
}

func (f territoryFolder) save(r *territory.Roster) error {
	return writeJSON(f.path(draftFile), r, 0o644)
}

// publish keeps a roster that was signed, as draft and as note, which is written
// last: a folder left in between has skipped a number, nothing worse. Nothing was
// signed: nothing is kept.
func (f territoryFolder) publish(r *territory.Roster, signed []byte) error {
	if signed == nil {
		return nil
	}
	if err := f.save(r); err != nil {
		return err
	}
	return durable.Write(f.path(rosterFile), signed, 0o644)
}

func territoryVerbs() []verb {
	return []verb{
		{"init", "make a territory: its draft and its root key", territoryInit},
		{"found", "make this machine's hub the first of the territory", territoryFound},
		{"keep-root", "seal the root on a hub, which then signs by itself", territoryKeepRoot},
		{"invite", "make a one-time code for a new hub", territoryInvite},
		{"approve", "show the hubs that ask, and give one its place", territoryApprove},
		{"expel", "put a hub out of the territory", territoryExpel},
		{"roster", "print a hub's roster and its history, or renew it", territoryRoster},
		{"rotate-root", "let the root that was announced sign from now on", territoryRotateRoot},
		{"add-hub", "add a hub from its request, hub.json", territoryAddHub},
		{"structure", "add or change a structure", territoryStructure},
		{"national", "add the national service from its entry", territoryNational},
		{"issue", "sign the draft as the next version", territoryIssue},
		{"show", "print a folder's draft or a roster", territoryShow},
		{"install", "give a roster to this machine's hub", territoryInstall},
	}
}

func runTerritory(ctx context.Context, std stdio, args []string) error {
	var known []string
	for _, v := range territoryVerbs() {
		if len(args) > 0 && args[0] == v.name {
			return v.run(ctx, std, args[1:])
		}
		known = append(known, fmt.Sprintf("  %-11s %s", v.name, v.summary))
	}
	list := strings.Join(known, "\n")
	if asksHelp(args) {
		fmt.Fprintf(std.out, "usage: relais territory <verb> …\n\n%s\n", list)
		return nil
	}
	return failWith(exitUsage, "relais territory needs one of:\n%s", list)
}

func territoryInit(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory init --code CODE --name NAME [--zone ZONE] [--domain DOMAIN,…] [--next FILE] --passphrase-file FILE FOLDER")
	code := f.String("code", "", "territory `code`, at most 8 of a-z, 0-9 and -")
	name := f.String("name", "", "`name` of the territory, as people say it")
	zone := f.String("zone", "Europe/Paris", "IANA time `zone` of its screens and papers")
	passphraseFile := f.String("passphrase-file", "", "`file` whose first line opens the root")
	domain := f.String("domain", "", "`domains` under which all hubs have their names, such as departement.example: browsers then trust the territory for nothing else")
	next := f.String("next", "", "`file`, best on another stick, for the key that will follow this root; empty: in root.age")
	if err := parse(f, args, 1, 1); err != nil {
		return err
	}
	if err := territory.Code(*code).Validate(); err != nil {
		return &exitError{exitUsage, err}
	}
	if *name == "" {
		return failWith(exitUsage, "give the territory's --name")
	}
	if _, err := time.LoadLocation(*zone); err != nil {
		return failWith(exitUsage, "--zone: %w", err)
	}
	passphrase, err := readPassphrase(*passphraseFile)
	if err != nil {
		return err
	}
	folder := territoryFolder(f.Arg(0))
	if err := folder.vacant(); err != nil {
		return err
	}
	if err := os.MkdirAll(string(folder), 0o700); err != nil {
		return err
	}
	root, err := makeRoot(string(folder), territory.Code(*code), *name, passphrase, *next, splitList(*domain))
	if err != nil {
		return fmt.Errorf("make the root: %w", err)
	}
	r := &territory.Roster{
		Territory: territory.Code(*code), Name: *name, Zone: *zone,
		Hubs: []territory.Hub{}, Structures: []territory.Structure{},
	}
	r.NextRoot = root.NextHash()
	if err := folder.save(r); err != nil {
		return err
	}
	fmt.Fprintln(std.out, root.Public())
	return nil
}
