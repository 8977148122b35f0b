package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"relais/node"
	"relais/node/territory"
)

// registry is the hub's roster and what led to it.
type registry struct {
	Root    string         `json:"root"` // the key that signs
	Kept    bool           `json:"kept"` // by this hub
	Note    string         `json:"note"`
	History []node.Edition `json:"history"`
}

func (r registry) open() (*territory.Roster, error) {
	return territory.OpenRoster([]byte(r.Note), r.Root)
}

// historyLength is how many editions are shown.
const historyLength = 20

var (
	registryVerb = hubVerb[unsaid, registry]{"/registry", func(ctx context.Context, n *node.Node, _ unsaid) (registry, error) {
		note := n.RosterNote()
		if note == nil {
			return registry{}, fmt.Errorf("the hub has no roster yet: relais join CODE, or relais territory install roster.note")
		}
		history, err := n.RosterHistory(ctx, historyLength)
		return registry{n.RootKey(), n.HoldsRoot(ctx), string(note), history}, err
	}}
	renewVerb = hubVerb[int, versioned]{"/registry/renew", func(ctx context.Context, n *node.Node, days int) (versioned, error) {
		return versionOf(n, n.RenewRoster(ctx, nil, "", days))
	}}
	structureVerb = hubVerb[territory.Structure, territory.Structure]{"/structures", func(ctx context.Context, n *node.Node, s territory.Structure) (territory.Structure, error) {
		return n.PutStructure(ctx, nil, "", s)
	}}
)

func territoryRoster(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory roster [--config FILE] [--json | --renew [--days N]]")
	config := f.String("config", defaultConfig, "configuration `file` of the hub")
	renew := f.Bool("renew", false, "sign it for another period, on the hub that keeps the root")
	days := f.Int("days", territory.RosterDays, "`days` until it should be renewed again")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	if *renew {
		done, err := renewVerb.ask(ctx, c, *days)
		if err == nil {
			fmt.Fprintf(std.out, "roster version %d\n", done.Version)
		}
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
	if *asJSON {
		return json.NewEncoder(std.out).Encode(r)
	}
	if err := printRoster(std, r); err != nil {
		return err
	}
	return printHistory(std, held.History)
}

func printHistory(std stdio, history []node.Edition) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w)
	for _, e := range history {
		words := make([]string, len(e.Changes))
		for i, c := range e.Changes {
			words[i] = strings.TrimSpace(string(c.Kind) + " " + c.Name)
		}
		fmt.Fprintf(w, "version %d\t%s\t%s\n", e.Version, e.Issued.Local().Format(time.DateTime), strings.Join(words, ", "))
	}
	return w.Flush()
}
