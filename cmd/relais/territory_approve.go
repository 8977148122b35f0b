package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"relais/node"
	"relais/node/territory"
)

// waiting is a hub that asks, as the command line shows it.
type waiting struct {
	Request     territory.Request `json:"request"`
	Fingerprint string            `json:"fingerprint"`
	Site        string            `json:"site,omitempty"`
	Received    time.Time         `json:"received"`
	Listed      bool              `json:"listed"` // in the roster already
}

// approval is what approve decides.
type approval struct {
	Hub         territory.HubID         `json:"hub"`
	Fingerprint string                  `json:"fingerprint"`
	Replace     bool                    `json:"replace"`
	Structures  []territory.StructureID `json:"structures"`
}

func (a approval) decided() node.HubApproval {
	return node.HubApproval{Fingerprint: a.Fingerprint, Replace: a.Replace, Structures: a.Structures}
}

// settlement is an approval that was signed with the root's file.
type settlement struct {
	Hub         territory.HubID `json:"hub"`
	Roster      []byte          `json:"roster"`
	Certificate []byte          `json:"certificate"`
}

// versioned is the roster that came of it.
type versioned struct {
	Version uint32 `json:"version"`
}

func versionOf(n *node.Node, err error) (versioned, error) {
	if err != nil {
		return versioned{}, err
	}
	return versioned{n.Roster().Version}, nil
}

var (
	requestsVerb = hubVerb[unsaid, []waiting]{"/requests", func(ctx context.Context, n *node.Node, _ unsaid) (list []waiting, err error) {
		requests, err := n.Requests(ctx)
		for _, q := range requests {
			list = append(list, waiting{q.Request, q.Fingerprint, q.Site, q.Received, q.Known != nil})
		}
		return list, err
	}}
	approveVerb = hubVerb[approval, versioned]{"/requests/approve", func(ctx context.Context, n *node.Node, in approval) (versioned, error) {
		return versionOf(n, n.ApproveHub(ctx, nil, in.Hub, in.decided()))
	}}
	settleVerb = hubVerb[settlement, versioned]{"/requests/settle", func(ctx context.Context, n *node.Node, in settlement) (versioned, error) {
		return versionOf(n, n.SettleHub(ctx, in.Hub, in.Roster, in.Certificate))
	}}
	refuseVerb = hubVerb[territory.HubID, unsaid]{"/requests/refuse", func(ctx context.Context, n *node.Node, in territory.HubID) (unsaid, error) {
		return unsaid{}, n.RefuseHub(ctx, nil, in)
	}}
)

func territoryApprove(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory approve [--config FILE] [--root FOLDER --passphrase-file FILE] [--replace] [--structures NAME,…] [--json] [--fingerprint 'XXXX XXXX XXXX XXXX' | --refuse] [HUB]")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that invited")
	read := f.String("fingerprint", "", "the `fingerprint` that the site read aloud; without it, the requests that wait are shown")
	replace := f.Bool("replace", false, "also close the identity that a recovered hub says it had, and give it its structures")
	structures := f.String("structures", "", "names or identifiers of the `structures` that it serves from now on; unless given, a new hub serves the territory's one structure where there is one")
	refuse := f.Bool("refuse", false, "turn the request down")
	asJSON := f.Bool("json", false, "print JSON")
	root := rootFlags(f)
	if err := parse(f, args, 0, 1); err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	list, err := requestsVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return err
	}
	if *read == "" && !*refuse {
		only, err := givenUnlessSaid(ctx, c)
		if err != nil {
			return err
		}
		return printRequests(std, list, only, *asJSON)
	}
	if *refuse && f.NArg() == 0 {
		return failWith(exitUsage, "name the HUB to turn down, as relais territory approve lists it")
	}
	w, err := pick(list, f.Arg(0), *read)
	if err != nil {
		return err
	}
	if *refuse {
		_, err := refuseVerb.ask(ctx, c, w.Request.Hub.ID)
		return err
	}
	a := approval{Hub: w.Request.Hub.ID, Fingerprint: *read, Replace: *replace}
	done, err := approve(ctx, c, root, w, a, func(r *territory.Roster) ([]territory.StructureID, error) {
		if isSet(f, "structures") || w.Listed || w.Request.Replaces != nil {
			return findStructures(r, splitList(*structures))
		}
		return onlyStructureOf(r), nil
	})
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(done)
	}
	fmt.Fprintf(std.out, "%s %s is in the territory, keys: %s; roster version %d\n", w.Request.Hub.ID, w.Request.Hub.Name, w.Request.Hub.Assurance, done.Version)
	for _, name := range done.Serves {
		fmt.Fprintf(std.out, "it serves %s, and keeps its dossiers from now on\n", name)
	}
	return nil
}

// approved is what came of an approval.
type approved struct {
	versioned
	Serves []string `json:"serves"` // the structures that it was given, by name
}

// givenUnlessSaid is the name of the structure that a new hub is given; "" for none.
func givenUnlessSaid(ctx context.Context, c Config) (string, error) {
	held, err := registryVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return "", err
	}
	r, err := held.open()
	if err != nil {
		return "", err
	}
	for _, id := range onlyStructureOf(r) {
		s, _ := r.Structure(id)
		return s.Name, nil
	}
	return "", nil
}

// onlyStructureOf is the structure of a territory that has one: whoever comes is of
// it, and would have no helper otherwise.
func onlyStructureOf(r *territory.Roster) (only []territory.StructureID) {
	for _, s := range r.Structures {
		if s.State != territory.StructureClosed {
			only = append(only, s.ID)
		}
	}
	if len(only) != 1 {
		return nil
	}
	return only
}

// approve signs on the hub that keeps the root, or with the root's file. serving
// chooses the structures.
func approve(ctx context.Context, c Config, root *rootFile, w waiting, a approval, serving func(*territory.Roster) ([]territory.StructureID, error)) (done approved, err error) {
	roster, err := registryVerb.ask(ctx, c, unsaid{})
	if err != nil {
		return done, err
	}
	r, err := roster.open()
	if err != nil {
		return done, err
	}
	if a.Structures, err = serving(r); err != nil {
		return done, err
	}
	done.Serves = []string{}
	for _, s := range r.Structures {
		if slices.Contains(a.Structures, s.ID) {
			done.Serves = append(done.Serves, s.Name)
		}
	}
	done.versioned, err = signApproval(ctx, c, root, roster, r, w, a)
	return done, err
}

func signApproval(ctx context.Context, c Config, root *rootFile, roster registry, r *territory.Roster, w waiting, a approval) (_ versioned, err error) {
	if root.folder == "" && !roster.Kept {
		return versioned{}, errors.New("this hub does not keep the territory's root: sign with its file, --root FOLDER --passphrase-file FILE, or invite from the hub that keeps it")
	}
	if root.folder == "" {
		return approveVerb.ask(ctx, c, a)
	}
	var heard []territory.Cut
	if lost := w.Request.Replaces; lost != nil {
		if heard, err = cutsVerb.ask(ctx, c, lost.Hub); err != nil {
			return versioned{}, err
		}
	}
	return root.sign(r, func(key territory.Root, publish func() ([]byte, error)) (versioned, error) {
		if err := a.decided().Admit(r, w.Request, heard); err != nil {
			return versioned{}, err
		}
		signed, err := publish()
		if err != nil {
			return versioned{}, err
		}
		h, _ := r.Hub(a.Hub)
		certificate, err := key.Authority().Certify(h, w.Request.Authority, time.Now())
		if err != nil {
			return versioned{}, err
		}
		return settleVerb.ask(ctx, c, settlement{a.Hub, signed, certificate})
	})
}

// pick finds the request that is meant: by name or identifier or, when none is
// given, by the fingerprint alone.
func pick(list []waiting, hub, fingerprint string) (waiting, error) {
	for _, w := range list {
		named := hub != "" && (w.Request.Hub.Name == hub || w.Request.Hub.ID.String() == hub)
		if named || hub == "" && w.Request.Fits(fingerprint) {
			return w, nil
		}
	}
	switch {
	case len(list) == 0:
		return waiting{}, errors.New("no request waits: has relais join been run there, with a code made here?")
	case hub != "":
		return waiting{}, fmt.Errorf("no request of %q waits; relais territory approve lists those that do", hub)
	}
	return waiting{}, errors.New("no request that waits has this fingerprint: have it read again, symbol by symbol; if it still differs, approve nothing")
}

func printRequests(std stdio, list []waiting, only string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.out).Encode(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(std.out, "no request waits")
		return nil
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	for _, q := range list {
		h := q.Request.Hub
		fmt.Fprintf(w, "hub\t%s, %s\n", h.ID, h.Name)
		fmt.Fprintf(w, "fingerprint\t%s\n", q.Fingerprint)
		fmt.Fprintf(w, "keys\t%s%s\n", h.Assurance, map[bool]string{true: ": whoever copies that machine's disk speaks as it"}[h.Assurance == territory.AssuranceSoftware])
		fmt.Fprintf(w, "pages\t%s\n", strings.Join(h.AllNames(), " "))
		fmt.Fprintf(w, "answers\t%s\n", strings.Join(h.Addresses, " "))
		if q.Request.Replaces != nil {
			fmt.Fprintf(w, "replaces\t%s, which it says is lost: --replace\n", q.Request.Replaces.Hub)
		}
		if only != "" && !q.Listed && q.Request.Replaces == nil {
			fmt.Fprintf(w, "serves\t%s, once approved, and is given its dossiers: --structures '' for none\n", only)
		}
		if q.Listed {
			fmt.Fprintf(w, "listed\talready: it asks for another name, address or certificate\n")
		}
		fmt.Fprintf(w, "asked\t%s\t\n\n", q.Received.Local().Format(time.DateTime))
	}
	replace := ""
	if slices.ContainsFunc(list, func(q waiting) bool { return q.Request.Replaces != nil }) {
		replace = " [--replace]"
	}
	fmt.Fprintf(w, "Have the site read its fingerprint aloud, then: relais territory approve%s --fingerprint '…'\n", replace)
	return w.Flush()
}

// findStructures returns the structures with these names or identifiers.
func findStructures(r *territory.Roster, wanted []string) (ids []territory.StructureID, err error) {
	for _, w := range wanted {
		found := false
		for _, s := range r.Structures {
			if s.Name == w || s.ID.String() == w {
				ids, found = append(ids, s.ID), true
			}
		}
		if !found {
			return nil, fmt.Errorf("the roster has no structure %q; relais territory roster lists them", w)
		}
	}
	return ids, nil
}
