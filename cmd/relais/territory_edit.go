package main

import (
	"context"
	"fmt"

	"relais/node"
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

var nationalVerb = hubVerb[territory.National, territory.National]{"/national", func(ctx context.Context, n *node.Node, s territory.National) (territory.National, error) {
	return n.PutNational(ctx, nil, "", s)
}}

func territoryNational(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "territory national [--config FILE | FOLDER] national.json")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that keeps the root, which signs at once; not with FOLDER")
	if err := parse(f, args, 1, 2); err != nil {
		return err
	}
	said, err := readNational(f.Arg(f.NArg() - 1))
	if err != nil {
		return err
	}
	if f.NArg() == 1 {
		c, err := loadConfig(*config)
		if err == nil {
			said, err = nationalVerb.ask(ctx, c, said)
		}
		if err != nil {
			return err
		}
	} else if err := change(territoryFolder(f.Arg(0)), func(r *territory.Roster) (err error) {
		said, err = r.PutNational(said)
		return err
	}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "%s %s index %d %s\n", said.ID, said.Name, said.Index, said.URL)
	return err
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
