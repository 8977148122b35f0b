package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"relais/node"
	"relais/node/people"
	"relais/node/territory"
)

func runHelper(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "helper add [--config FILE] --login LOGIN --given NAME --family NAME [--structure ID] [--role ROLE] [--id ID] [--json]")
	config := f.String("config", defaultConfig, "configuration `file`")
	login := f.String("login", "", "`name` to sign in with: "+loginRule)
	given := f.String("given", "", "given `name`")
	family := f.String("family", "", "family `name`")
	structure := f.String("structure", "", "`identifier` of the structure; may be left out where the hub serves one")
	role := f.String("role", string(people.RoleHelper), "`role`: aidant, referent or departement")
	id := f.String("id", "", "`identifier` of a helper who already has an account at another hub")
	asJSON := f.Bool("json", false, "print one JSON object")
	if asksHelp(args) {
		f.Usage()
		return nil
	}
	if len(args) == 0 || args[0] != "add" {
		return failWith(exitUsage, "usage: relais %s", f.Name())
	}
	if err := parse(f, args[1:], 0, 0); err != nil {
		return err
	}
	h, err := newHelper(*login, people.Name{Given: *given, Family: *family}, people.Role(*role), *id, *structure)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	e, err := enrol(ctx, c, h)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(e)
	}
	printEnrolment(std, e)
	return nil
}

// loginRule is what people.ParseLogin takes, in words.
const loginRule = "3 to 40 of a-z 0-9 . - _, beginning with a letter or a digit"

// newHelper checks what was typed, before any hub is asked. The messages say
// the rule and not the name: a terminal's history is enough.
func newHelper(login string, name people.Name, role people.Role, id, structure string) (h node.NewHelper, err error) {
	if h.Login, err = people.ParseLogin(login); err != nil {
		return h, errors.New("--login takes " + loginRule)
	}
	if h.Name, err = name.Parse(); err != nil || !h.Name.Complete() {
		return h, errors.New("--given and --family take a name each, of 1 to 80 characters that print")
	}
	if h.Role = role; !role.Valid() {
		return h, fmt.Errorf("--role takes one of %v, not %.20q", people.Roles(), string(role))
	}
	if id != "" {
		if err := h.ID.UnmarshalText([]byte(id)); err != nil {
			return h, fmt.Errorf("--id takes what relais helper add --json printed as Helper, a_…: %w", err)
		}
	}
	if structure != "" {
		if err := h.Structure.UnmarshalText([]byte(structure)); err != nil {
			return h, fmt.Errorf("--structure takes an identifier that relais territory show prints, s_…: %w", err)
		}
	}
	return h, nil
}

// enrol opens an account through the running hub or, where none runs, on its
// folder.
func enrol(ctx context.Context, c Config, h node.NewHelper) (e node.Enrolment, err error) {
	body, err := json.Marshal(h)
	if err != nil {
		return e, err
	}
	err = askHub(ctx, c.Hub.DataDir, http.MethodPost, "/helpers", body, &e)
	if !unreachable(err) {
		return e, err
	}
	err = withNode(ctx, c, func(n *node.Node) (err error) {
		if h.Structure, err = onlyStructure(n, h.Structure); err != nil {
			return err
		}
		e, err = n.EnrolHelper(ctx, nil, h)
		return err
	})
	return e, err
}

// withNode opens the folder of a hub that does not run.
func withNode(ctx context.Context, c Config, do func(*node.Node) error) error {
	keys, n, err := openFolder(ctx, c, nil)
	if err != nil {
		return err
	}
	return errors.Join(do(n), keys.Close(), n.Close())
}

// onlyStructure returns the structure that was named or, when none was, the one
// that this hub serves.
func onlyStructure(n *node.Node, named territory.StructureID) (territory.StructureID, error) {
	if !named.IsZero() {
		return named, nil
	}
	r := n.Roster()
	if r == nil {
		return named, errors.New("the hub has no roster yet: relais territory install")
	}
	var served []territory.StructureID
	for _, s := range r.Structures {
		if s.ServedBy(n.Self()) {
			served = append(served, s.ID)
		}
	}
	if len(served) == 0 {
		return named, errors.New("this hub serves no structure: add this hub to a structure (relais territory structure set --name NAME --serving HUB,…) and issue the roster again")
	}
	if len(served) > 1 {
		return named, fmt.Errorf("this hub serves %d structures: name one with --structure", len(served))
	}
	return served[0], nil
}
