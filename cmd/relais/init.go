package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/territory"
)

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
	f := flags(std, "init [--config FILE] --root-key KEY|FILE [--departement age1…] [--json] | init --solo [--config FILE] [--json]")
	config := f.String("config", defaultConfig, "configuration `file`")
	root := f.String("root-key", "", "the territory root's public `key`, or a file that holds it (root.pub)")
	departement := f.String("departement", "", "public `half`, age1…, of the département's key, which then opens this hub too; or keys.departement in the configuration")
	solo := f.Bool("solo", false, "make a trial hub, alone in a territory of its own; writes the configuration if there is none")
	asJSON := f.Bool("json", false, "print one JSON object")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	switch {
	case *solo && *root != "":
		return failWith(exitUsage, "--solo makes a territory of its own: --root-key does not go with it")
	case *solo:
		return initSolo(ctx, std, *config, *asJSON)
	case *root == "":
		return failWith(exitUsage, "give --root-key: the key in root.pub of your territory, read over by whoever keeps it")
	}
	b, err := initHub(ctx, *config, *root, *departement)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(b)
	}
	printBorn(std, b)
	fmt.Fprintf(std.out, "\nNext: have %s added to the territory's roster, then\n"+
		"  relais territory install --config %s roster.note\n  relais serve --config %s\n", b.Request, *config, *config)
	return nil
}

// initHub makes the hub of a configuration. What it is told is checked before
// anything is made.
func initHub(ctx context.Context, config, root, departement string) (born, error) {
	c, err := loadConfig(config)
	if err != nil {
		return born{}, err
	}
	if departement != "" {
		c.Keys.Departement = departement
		if err := c.Keys.validate(); err != nil {
			return born{}, &exitError{exitUsage, fmt.Errorf("--departement: %w", err)}
		}
	}
	rootKey, err := readRootKey(root)
	if err != nil {
		return born{}, err
	}
	if err := checkRootOf(rootKey, c.Hub.Territory); err != nil {
		return born{}, err
	}
	m, err := createHub(ctx, c, rootKey)
	if err != nil {
		return born{}, err
	}
	if err := m.writeRequest(ctx); err != nil {
		return born{}, m.undo(err)
	}
	b, err := m.born()
	return b, errors.Join(err, m.keys.Close())
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

// A making is a hub that was just made. Until its recovery code is shown, what
// was made is worth nothing to anybody: undo removes it.
type making struct {
	config Config
	keys   *keyring.Keyring
	code   string // recovery
	public node.PublicKeys
	before map[string]bool // what the data folder held; nil where there was none
}

// createHub makes a hub's keys and folder. The keyring is left open for the
// caller. Nothing is left behind when it fails.
func createHub(ctx context.Context, c Config, rootKey string) (*making, error) {
	recipients, err := c.Keys.recipients()
	if err != nil {
		return nil, err
	}
	m := &making{config: c}
	held, err := os.ReadDir(c.Hub.DataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err == nil {
		m.before = map[string]bool{}
	}
	for _, e := range held {
		m.before[e.Name()] = true
	}
	p, err := chooseProvider(c)
	if err != nil {
		return nil, err
	}
	keys, code, err := keyring.Create(c.Hub.DataDir, p, recipients...)
	if err != nil { // another hub's keys may be there: nothing is removed
		return nil, errors.Join(err, p.Close())
	}
	m.keys, m.code = keys, code.Reveal()
	m.public, err = node.Create(ctx,
		node.Options{
			Dir: c.Hub.DataDir, Sealer: keys, Signer: keys.Identity(), Release: releaseTime(),
			Counter: machineCounter{keys.Counter(c.Hub.DataDir)},
		},
		node.Birth{Territory: c.Hub.Territory, RootKey: rootKey, Name: c.Hub.Name})
	if err != nil {
		return nil, m.undo(err)
	}
	return m, nil
}

// undo closes the keyring, removes what was made, so that init can be run again,
// and returns why.
func (m *making) undo(why error) error {
	failures := []error{why, m.keys.Close()}
	dir := m.config.Hub.DataDir
	if m.before == nil {
		return errors.Join(append(failures, os.RemoveAll(dir))...)
	}
	held, err := os.ReadDir(dir)
	failures = append(failures, err)
	for _, e := range held {
		if !m.before[e.Name()] {
			failures = append(failures, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(failures...)
}

func (m *making) request() string { return filepath.Join(m.config.Hub.DataDir, requestFile) }

// writeRequest leaves the enrolment request in the folder, last: where it is,
// the hub is whole.
func (m *making) writeRequest(ctx context.Context) error {
	return m.with(ctx, func(n *node.Node) error { return leaveRequest(ctx, m.config, n, m.keys.Assurance()) })
}

// with opens the node that was made, for as long as do takes.
func (m *making) with(ctx context.Context, do func(*node.Node) error) error {
	n, err := openNode(ctx, m.config, nil, m.keys, nil)
	if err != nil {
		return err
	}
	return errors.Join(do(n), n.Close())
}

func (m *making) born() (b born, err error) {
	b = born{Hub: m.public.Hub, Name: m.config.Hub.Name, Assurance: m.keys.Assurance(), RecoveryCode: m.code, Request: m.request()}
	b.Slots, err = keyring.Slots(m.config.Hub.DataDir)
	return b, err
}

// listSlots names what opens the keys, for people.
func listSlots(slots []keyring.Kind) string {
	names := make([]string, len(slots))
	for i, kind := range slots {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}
