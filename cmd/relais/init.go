package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/territory"
)

// requestFile is the enrolment request that init leaves in the data folder.
const requestFile = "hub.json"

// born is what init prints. The recovery code is nowhere else.
type born struct {
	Hub          territory.HubID     `json:"hub"`
	Name         string              `json:"name"`
	Assurance    territory.Assurance `json:"assurance"`
	Slots        []keyring.Kind      `json:"slots"` // what opens the keys
	RecoveryCode string              `json:"recovery_code"`
	Request      string              `json:"request"`
}

func runInit(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "init [--config FILE] --root-key KEY|FILE [--departement age1…] [--json] | init --solo [--config FILE]")
	config := f.String("config", defaultConfig, "configuration `file`")
	root := f.String("root-key", "", "the territory root's public `key`, or a file that holds it (root.pub)")
	departement := f.String("departement", "", "public `half`, age1…, of the département's key, which then opens this hub too; or keys.departement in the configuration")
	solo := f.Bool("solo", false, "make a trial hub, alone in a territory of its own; writes the configuration if there is none")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	if *solo {
		return initSolo(ctx, std, *config)
	}
	if *root == "" {
		return failWith(exitUsage, "give --root-key: the key in root.pub of your territory, read over by whoever keeps it")
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	if *departement != "" {
		c.Keys.Departement = *departement
		if err := c.Keys.validate(); err != nil {
			return &exitError{exitUsage, fmt.Errorf("--departement: %w", err)}
		}
	}
	rootKey, err := readRootKey(*root)
	if err != nil {
		return err
	}
	b, keys, err := createHub(ctx, c, rootKey)
	if err != nil {
		return err
	}
	defer keys.Close()
	if *asJSON {
		return json.NewEncoder(std.out).Encode(b)
	}
	printBorn(std, b)
	fmt.Fprintf(std.out, "\nNext: have %s added to the territory's roster, then\n"+
		"  relais territory install --config %s roster.note\n  relais serve --config %s\n", b.Request, *config, *config)
	return nil
}

func printBorn(std stdio, b born) {
	fmt.Fprintf(std.out, "hub            %s, %s\n", b.Hub, b.Name)
	fmt.Fprintf(std.out, "keys           %s; opened by %s\n", b.Assurance, listSlots(b.Slots))
	fmt.Fprintf(std.out, "recovery code  %s\n", b.RecoveryCode)
	fmt.Fprintf(std.out, "               Write it down and keep it elsewhere: it is shown once, and opens the\n"+
		"               data when this machine is lost. Nothing else does.\n")
	fmt.Fprintf(std.out, "request        %s\n", b.Request)
	if b.Assurance == territory.AssuranceSoftware {
		fmt.Fprintf(std.out, "warning        no TPM: whoever copies the data folder has the keys in it\n")
	}
}

// createHub makes a hub's keys, folder and enrolment request. The keyring is
// left open for the caller.
func createHub(ctx context.Context, c Config, rootKey string) (born, *keyring.Keyring, error) {
	recipients, err := c.Keys.recipients()
	if err != nil {
		return born{}, nil, err
	}
	p, err := chooseProvider(c)
	if err != nil {
		return born{}, nil, err
	}
	keys, code, err := keyring.Create(c.Hub.DataDir, p, recipients...)
	if err != nil {
		return born{}, nil, errors.Join(err, p.Close())
	}
	public, err := node.Create(ctx,
		node.Options{Dir: c.Hub.DataDir, Sealer: keys, Signer: keys.Identity(), Release: releaseTime()},
		node.Birth{Territory: c.Hub.Territory, RootKey: rootKey, Name: c.Hub.Name})
	if err != nil {
		return born{}, nil, errors.Join(err, keys.Close())
	}
	b := born{Hub: public.Hub, Name: c.Hub.Name, Assurance: keys.Assurance(), RecoveryCode: code.Reveal()}
	if b.Request, err = writeRequest(c, public, keys.Assurance(), nil); err == nil {
		b.Slots, err = keyring.Slots(c.Hub.DataDir)
	}
	if err != nil {
		return born{}, nil, errors.Join(err, keys.Close())
	}
	return b, keys, nil
}

// writeRequest leaves the enrolment request in the data folder.
func writeRequest(c Config, public node.PublicKeys, assurance territory.Assurance, instead *replaced) (path string, err error) {
	e := enrolment{Format: enrolmentFormat, Territory: c.Hub.Territory, Hub: describe(c, public, assurance), Replaces: instead}
	path = filepath.Join(c.Hub.DataDir, requestFile)
	return path, writeJSON(path, e, 0o644)
}

// listSlots names what opens the keys, for people.
func listSlots(slots []keyring.Kind) string {
	names := make([]string, len(slots))
	for i, kind := range slots {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}

// describe is a hub as it asks to stand in the roster.
func describe(c Config, public node.PublicKeys, assurance territory.Assurance) territory.Hub {
	return territory.Hub{
		ID: public.Hub, Name: c.Hub.Name,
		Identity: public.Identity, Witness: public.Witness, Recipient: public.Recipient,
		Addresses: c.Link.Advertise, HostNames: c.Web.Names, KioskName: c.Web.KioskName,
		Assurance: assurance, State: territory.HubActive,
	}
}
