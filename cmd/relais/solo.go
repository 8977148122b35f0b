package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"relais/node/durable"

	"golang.org/x/mod/sumdb/note"

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

const soloYears = 10

// initSolo makes a hub and a territory around it: one structure, one account.
// The territory's root signs one roster and is forgotten: a trial hub that is to
// join a real territory is made anew.
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
	secret, public, err := note.GenerateKey(rand.Reader, rootName(c.Hub.Territory))
	if err != nil {
		return err
	}
	root, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	m, err := createHub(ctx, c, public)
	if err != nil {
		return err
	}
	account, err := m.furnish(ctx, root)
	if err == nil {
		err = m.writeRequest()
	}
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

// furnish gives a lone hub its roster and its first account.
func (m *making) furnish(ctx context.Context, root note.Signer) (account node.Enrolment, err error) {
	n, err := openNode(ctx, m.config, nil, m.keys, nil)
	if err != nil {
		return account, err
	}
	account, err = furnishSolo(ctx, n, m.config.Hub.Territory, m.describe(), root)
	return account, errors.Join(err, n.Close())
}

// furnishSolo signs the roster and installs it, and opens the account.
func furnishSolo(ctx context.Context, n *node.Node, code territory.Code, h territory.Hub, root note.Signer) (node.Enrolment, error) {
	scopes, err := findScopes(nil)
	if err != nil {
		return node.Enrolment{}, err
	}
	var structure territory.StructureID
	rand.Read(structure[:])
	now := time.Now().UTC().Truncate(time.Second)
	r := &territory.Roster{
		Territory: code, Name: "Territoire d’essai", Zone: "Europe/Paris",
		Version: 1, IssuedAt: now, ExpiresAt: now.AddDate(soloYears, 0, 0),
		Structures: []territory.Structure{{
			ID: structure, Name: "Structure d’essai", State: territory.StructureOpen,
			Scopes: scopes, Serving: []territory.HubID{h.ID},
		}},
	}
	addHub(r, h)
	signed, err := r.Sign(root)
	if err != nil {
		return node.Enrolment{}, err
	}
	if err := n.InstallRoster(ctx, signed); err != nil {
		return node.Enrolment{}, err
	}
	return n.EnrolHelper(ctx, nil, node.NewHelper{
		Login: "accueil", Name: people.Name{Given: "Dominique", Family: "EXEMPLE"},
		Structure: structure, Role: people.RoleHelper,
	})
}

func printEnrolment(std stdio, e node.Enrolment) {
	fmt.Fprintf(std.out, "\nlogin          %s\npassphrase     %s\ncode           %s\n"+
		"               Add the line above to an authenticator application: it makes the codes.\n", e.Login, e.Passphrase, e.TOTP)
}
