package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"relais/node/territory"
)

// structureFlags are what may be said of a structure, when it is added or later.
type structureFlags struct {
	name, address, siret, serving, scopes, state string
}

func territoryStructure(ctx context.Context, std stdio, args []string) error {
	var say structureFlags
	f := flags(std, "territory structure add|set --name NAME [--address LINE] [--siret N] [--serving HUB,…] [--scopes SCOPE,…] [--state STATE] [--config FILE | FOLDER]")
	f.StringVar(&say.name, "name", "", "`name` of the structure")
	f.StringVar(&say.address, "address", "", "its `address`, one line, as printed on mandates")
	f.StringVar(&say.siret, "siret", "", "its 14-digit `SIRET`")
	f.StringVar(&say.serving, "serving", "", "names or identifiers of the `hubs` that serve it; empty: all")
	f.StringVar(&say.scopes, "scopes", "", "`keys` of the démarches it is allowed; empty: all")
	f.StringVar(&say.state, "state", string(territory.StructureOpen), "`state`: open, suspended or closed")
	config := f.String("config", defaultConfig, "configuration `file` of the hub that keeps the root, which signs at once; not with FOLDER")
	if asksHelp(args) {
		f.Usage()
		return nil
	}
	if len(args) == 0 || (args[0] != "add" && args[0] != "set") {
		return failWith(exitUsage, "usage: relais %s", f.Name())
	}
	if err := parse(f, args[1:], 0, 1); err != nil {
		return err
	}
	if say.name == "" {
		return failWith(exitUsage, "give the structure's --name")
	}
	if !slices.Contains([]string{"open", "suspended", "closed"}, say.state) {
		return failWith(exitUsage, "--state: %q is none of open, suspended, closed", say.state)
	}
	edit := func(r *territory.Roster) (*territory.Structure, error) {
		s, err := say.place(r, args[0] == "add")
		if err != nil {
			return nil, err
		}
		return s, say.apply(r, s, func(flag string) bool { return args[0] == "add" || isSet(f, flag) })
	}
	if f.NArg() == 0 {
		return structureAtHub(ctx, std, *config, args[0] == "add", edit)
	}
	return change(territoryFolder(f.Arg(0)), func(r *territory.Roster) error {
		s, err := edit(r)
		if err == nil {
			fmt.Fprintln(std.out, s.ID)
		}
		return err
	})
}

// structureAtHub has the hub that keeps the root sign the change.
func structureAtHub(ctx context.Context, std stdio, config string, isNew bool, edit func(*territory.Roster) (*territory.Structure, error)) error {
	c, err := loadConfig(config)
	if err != nil {
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
	s, err := edit(r)
	if err != nil {
		return err
	}
	if isNew {
		s.ID = territory.StructureID{} // the hub gives it one
	}
	done, err := structureVerb.ask(ctx, c, *s)
	if err == nil {
		fmt.Fprintln(std.out, done.ID)
	}
	return err
}

// place returns the structure that is spoken of, in the draft: a new one, whose
// name is nobody's, or the one that has the name or the identifier.
func (say structureFlags) place(r *territory.Roster, isNew bool) (*territory.Structure, error) {
	i := slices.IndexFunc(r.Structures, func(s territory.Structure) bool { return s.Name == say.name || s.ID.String() == say.name })
	switch {
	case isNew && i >= 0:
		return nil, fmt.Errorf("the draft already has a structure %q, %s: change it with relais territory structure set", say.name, r.Structures[i].ID)
	case isNew:
		s := territory.Structure{Name: say.name}
		rand.Read(s.ID[:])
		r.Structures = append(r.Structures, s)
		return &r.Structures[len(r.Structures)-1], nil
	case i < 0:
		return nil, fmt.Errorf("the draft has no structure %q; relais territory show lists them", say.name)
	}
	return &r.Structures[i], nil
}

// apply writes into s what was said of it.
func (say structureFlags) apply(r *territory.Roster, s *territory.Structure, said func(flag string) bool) (err error) {
	if said("address") {
		s.Address = say.address
	}
	if said("siret") {
		s.SIRET = say.siret
	}
	if said("state") {
		s.State = territory.StructureState(say.state)
	}
	if said("serving") {
		if s.Serving, err = findHubs(r, splitList(say.serving)); err != nil {
			return err
		}
	}
	if said("scopes") {
		s.Scopes, err = findScopes(splitList(say.scopes))
	}
	return err
}

// splitList parts a list at its commas.
func splitList(s string) (items []string) {
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// findHubs returns the hubs with these names or identifiers; all that are active
// when none is named. A structure that no hub serves could do nothing.
func findHubs(r *territory.Roster, wanted []string) ([]territory.HubID, error) {
	ids := []territory.HubID{}
	for _, h := range r.Hubs {
		if len(wanted) == 0 && h.State == territory.HubActive {
			ids = append(ids, h.ID)
		}
	}
	for _, w := range wanted {
		h, err := findHub(r, w)
		if err != nil {
			return nil, err
		}
		ids = append(ids, h.ID)
	}
	if len(ids) == 0 {
		return nil, errors.New("no hub is there to serve the structure: add one first, with relais territory invite, or add-hub FOLDER hub.json")
	}
	return ids, nil
}

// findHub returns the active hub with this name or identifier. One that was
// expelled may have left its name to another, which is then the one that is
// meant.
func findHub(r *territory.Roster, word string) (territory.Hub, error) {
	var gone *territory.Hub
	for _, h := range r.Hubs {
		switch {
		case h.Name != word && h.ID.String() != word:
		case h.State == territory.HubActive:
			return h, nil
		default:
			gone = &h
		}
	}
	if gone != nil {
		return *gone, fmt.Errorf("%s, %s, is expelled already", gone.Name, gone.ID)
	}
	return territory.Hub{}, fmt.Errorf("the roster has no hub %q; relais territory roster lists them, or show FOLDER", word)
}
