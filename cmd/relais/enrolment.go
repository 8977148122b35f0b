package main

import (
	"context"
	"fmt"
	"path/filepath"

	"relais/node"
	"relais/node/territory"
	"relais/webui"
)

// requestFile is the enrolment request that a hub leaves in its data folder.
const requestFile = "hub.json"

// maxRequestOctets bounds a request that came from elsewhere.
const maxRequestOctets = 64 << 10

// readRequest reads a hub's request, for this territory.
func readRequest(path string, code territory.Code) (territory.Request, error) {
	text, err := readBounded(path, maxRequestOctets)
	if err != nil {
		return territory.Request{}, err
	}
	q, err := territory.ParseRequest(text, code)
	if err != nil {
		return q, fmt.Errorf("%s: %w", path, err)
	}
	return q, nil
}

// readNational reads the entry that the national service made of itself.
func readNational(path string) (territory.National, error) {
	var n territory.National
	if err := readJSON(path, &n); err != nil {
		return n, err
	}
	if territory.HubIDOf(n.Identity) != n.ID {
		return n, fmt.Errorf("%s: identifier %s is not that of its key", path, n.ID)
	}
	return n, nil
}

// requestOf is the request of the hub in n, as its configuration describes it
// today.
func requestOf(ctx context.Context, c Config, n *node.Node, assurance territory.Assurance) (territory.Request, error) {
	authority, err := webui.AuthorityKey(ctx, n.Secrets(), c.Web.hostNames())
	if err != nil {
		return territory.Request{}, err
	}
	instead, err := n.Before(ctx)
	if err != nil {
		return territory.Request{}, err
	}
	return territory.NewRequest(c.Hub.Territory, describe(c, n.Keys(), assurance), authority, instead), nil
}

// writeRequest leaves the request in the data folder.
func writeRequest(c Config, q territory.Request) (path string, err error) {
	path = filepath.Join(c.Hub.DataDir, requestFile)
	return path, writeJSON(path, q, 0o644)
}

// leaveRequest makes the request in the data folder say what is so today.
func leaveRequest(ctx context.Context, c Config, n *node.Node, assurance territory.Assurance) error {
	q, err := requestOf(ctx, c, n, assurance)
	if err == nil {
		_, err = writeRequest(c, q)
	}
	return err
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
