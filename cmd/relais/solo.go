package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"relais/node/durable"

	"relais/node"
	"relais/node/people"
	"relais/node/territory"
)

// soloConfig is the embedded default: one hub on this machine, for a trial.
const soloConfig = `# A trial hub, alone in a territory of its own. See relais(1) for every setting.
[hub]
name = "Mon relais"
territory = "essai"
data_dir = "data"

[web]
listen = "127.0.0.1:8443"
names = ["relais.localhost", "localhost"]
kiosk_name = "borne.localhost"

[link]
listen = "127.0.0.1:7443"

[keys]
provider = "software"
`

const (
	soloName = "Territoire d’essai"
	soloDays = 10 * 365
)

// initSolo makes a hub and a territory around it: one structure, one account. The
// hub keeps the territory's root; to join a real territory it is made anew.
func initSolo(ctx context.Context, std stdio, config string, asJSON bool) error {
	if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
			return err
		}
		if err := durable.Write(config, []byte(soloConfig), 0o644); err != nil {
			return err
		}
	}
	c, err := loadConfig(config)
	if err != nil {
		return err
	}
	root, err := territory.NewRoot(c.Hub.Territory, soloName, time.Now())
	if err != nil {
		return err
	}
	m, err := createHub(ctx, c, root.Public())
	if err != nil {
		return err
	}
	var account node.Enrolment
	err = m.with(ctx, func(n *node.Node) error {
		account, err = m.furnish(ctx, n, root)
		return err
	})
	if err != nil {
		return m.undo(err)
	}
	b, err := m.born()
	if err != nil {
		return errors.Join(err, m.keys.Close())
	}
	if asJSON {
		err = json.NewEncoder(std.out).Encode(soloBorn{b, account})
	} else {
		printBorn(std, b)
		printEnrolment(std, account)
	}
	return errors.Join(err, m.keys.Close())
}

// soloBorn is what init --solo --json prints: the hub and its first account.
type soloBorn struct {
	born
	Account node.Enrolment `json:"account"`
}

// furnish gives a lone hub its request, its roster and its first account.
func (m *making) furnish(ctx context.Context, n *node.Node, root territory.Root) (account node.Enrolment, err error) {
	if err := leaveRequest(ctx, m.config, n, m.keys.Assurance()); err != nil {
		return account, err
	}
	scopes, err := findScopes(nil)
	if err != nil {
		return account, err
	}
	r := &territory.Roster{Territory: m.config.Hub.Territory, Name: soloName, Zone: "Europe/Paris"}
	s, err := r.PutStructure(territory.Structure{
		Name: "Structure d’essai", State: territory.StructureOpen, Scopes: scopes, Serving: []territory.HubID{n.Self()},
	})
	if err == nil {
		_, err = found(ctx, m.config, n, root, r, soloDays)
	}
	if err == nil {
		err = n.KeepRoot(ctx, nil, root)
	}
	if err != nil {
		return account, err
	}
	return n.EnrolHelper(ctx, nil, node.NewHelper{
		Login: "accueil", Name: people.Name{Given: "Dominique", Family: "EXEMPLE"},
		Structure: s.ID, Role: people.RoleHelper,
	})
}

func printEnrolment(std stdio, e node.Enrolment) {
	fmt.Fprintf(std.out, "\nlogin          %s\npassphrase     %s\ncode           %s\n"+
		"               Add the line above to an authenticator application: it makes the codes.\n", e.Login, e.Passphrase, e.TOTP)
}
