package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"relais/node/territory"
)

func territoryAddHub(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory add-hub [--replace] FOLDER hub.json")
	instead := f.Bool("replace", false, "also close the identity that a recovered hub says it had, and give it its structures")
	if err := parse(f, args, 2, 2); err != nil {
		return err
	}
	return change(territoryFolder(f.Arg(0)), func(r *territory.Roster) error {
		request, err := readEnrolment(f.Arg(1), r.Territory)
		if err != nil {
			return err
		}
		h := addHub(r, request.Hub)
		fmt.Fprintf(std.out, "%s %s index %d %s\n", h.ID, h.Name, h.Index, h.Assurance)
		lost := request.Replaces
		switch {
		case *instead && lost == nil:
			return fmt.Errorf("%s replaces no hub", f.Arg(1))
		case *instead:
			fmt.Fprintf(std.out, "%s is closed\n", lost.Hub)
			return replace(r, *lost, h.ID)
		case lost != nil:
			fmt.Fprintf(std.err, "relais: it says that it was %s; once that is confirmed aloud, add --replace\n", lost.Hub)
		}
		return nil
	})
}

// addHub adds a hub, or brings the description of a known one up to date. Its
// index is new and never used again; its state and cuts are the roster's own.
func addHub(r *territory.Roster, h territory.Hub) territory.Hub {
	for i, known := range r.Hubs {
		if known.ID == h.ID {
			h.Index, h.State, h.Cuts, h.Extra = known.Index, known.State, known.Cuts, known.Extra
			r.Hubs[i] = h
			return h
		}
	}
	h.Index, h.State, h.Cuts = nextIndex(r), territory.HubActive, nil
	r.Hubs = append(r.Hubs, h)
	return h
}

// nextIndex returns an index that no member has, expelled ones included. The
// national service counts from the other end.
func nextIndex(r *territory.Roster) uint16 {
	next := uint16(1)
	for _, h := range r.Hubs {
		next = max(next, h.Index+1)
	}
	if r.National != nil && r.National.Index == next {
		next++
	}
	return next
}

func territoryNational(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory national FOLDER national.json")
	if err := parse(f, args, 2, 2); err != nil {
		return err
	}
	return change(territoryFolder(f.Arg(0)), func(r *territory.Roster) error {
		n, err := readNational(f.Arg(1))
		if err != nil {
			return err
		}
		if known := r.National; known != nil && known.ID != n.ID {
			return fmt.Errorf("the territory already has a national service, %s", known.ID)
		} else if known != nil {
			n.Index, n.Cuts, n.Extra = known.Index, known.Cuts, known.Extra
		} else if slices.ContainsFunc(r.Hubs, func(h territory.Hub) bool { return h.Index == n.Index }) {
			n.Index = nextIndex(r)
		}
		r.National = &n
		fmt.Fprintf(std.out, "%s %s index %d %s\n", n.ID, n.Name, n.Index, n.URL)
		return nil
	})
}

func territoryStructure(_ context.Context, std stdio, args []string) error {
	f := flags(std, "territory structure add --name NAME [--serving HUB,…] [--scopes SCOPE,…] FOLDER")
	name := f.String("name", "", "`name` of the structure")
	address := f.String("address", "", "its `address`, one line, as printed on mandates")
	siret := f.String("siret", "", "its 14-digit `SIRET`")
	serving := f.String("serving", "", "names or identifiers of the `hubs` that serve it; empty: all")
	scopes := f.String("scopes", "", "`keys` of the démarches it is allowed; empty: all")
	if len(args) == 0 || args[0] != "add" {
		return failWith(exitUsage, "usage: relais %s", f.Name())
	}
	if err := parse(f, args[1:], 1, 1); err != nil {
		return err
	}
	if *name == "" {
		return failWith(exitUsage, "give the structure's --name")
	}
	return change(territoryFolder(f.Arg(0)), func(r *territory.Roster) error {
		hubs, err := findHubs(r, splitList(*serving))
		if err != nil {
			return err
		}
		allowed, err := findScopes(splitList(*scopes))
		if err != nil {
			return err
		}
		var id territory.StructureID
		rand.Read(id[:])
		s := territory.Structure{
			ID: id, Name: *name, Address: *address, SIRET: *siret,
			State: territory.StructureOpen, Scopes: allowed, Serving: hubs,
		}
		r.Structures = append(r.Structures, s)
		fmt.Fprintln(std.out, s.ID)
		return nil
	})
}

// change reads a folder's draft, changes it, checks it and writes it back.
func change(folder territoryFolder, edit func(*territory.Roster) error) error {
	r, err := folder.draft()
	if err != nil {
		return err
	}
	if err := edit(r); err != nil {
		return err
	}
	return folder.save(r)
}

func splitList(s string) []string {
	return slices.DeleteFunc(strings.Split(s, ","), func(s string) bool { return s == "" })
}

// findHubs returns the hubs with these names or identifiers; all when empty.
func findHubs(r *territory.Roster, wanted []string) ([]territory.HubID, error) {
	ids := []territory.HubID{}
	for _, h := range r.Hubs {
		if len(wanted) == 0 {
			ids = append(ids, h.ID)
		}
	}
	for _, w := range wanted {
		i := slices.IndexFunc(r.Hubs, func(h territory.Hub) bool { return h.Name == w || h.ID.String() == w })
		if i < 0 {
			return nil, fmt.Errorf("the draft has no hub %q", w)
		}
		ids = append(ids, r.Hubs[i].ID)
	}
	return ids, nil
}
