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
		q, err := readRequest(f.Arg(1), r.Territory)
		if err != nil {
			return err
		}
		h := r.Enrol(q.Hub)
		fmt.Fprintf(std.out, "%s %s index %d %s\n", h.ID, h.Name, h.Index, h.Assurance)
		fmt.Fprintf(std.out, "fingerprint %s\n", q.Fingerprint())
		lost := q.Replaces
		switch {
		case *instead && lost == nil:
			return fmt.Errorf("%s replaces no hub", f.Arg(1))
		case *instead:
			fmt.Fprintf(std.out, "%s is closed\n", lost.Hub)
			return r.Replace(*lost, h.ID)
		case lost != nil:
			fmt.Fprintf(std.err, "relais: it says that it was %s; once that is confirmed aloud, add --replace\n", lost.Hub)
		}
		return nil
	})
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
			n.Index = r.NextIndex()
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
