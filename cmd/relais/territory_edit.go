package main

import (
	"context"
	"fmt"
	"slices"

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
