package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/enrolment"
	"relais/sync/link"
	"relais/webui"
)

// A newcomer is a hub that asks for its place in a territory.
type newcomer struct {
	config Config
	node   *node.Node
	keys   *keyring.Keyring
	client *enrolment.Client
	// sighted is what its invitation led to: it asks every other second.
	sighted enrolment.Sighting
}

// newNewcomer shows these credentials: making some takes the TPM.
func newNewcomer(c Config, n *node.Node, keys *keyring.Keyring, credentials *link.Credentials) (*newcomer, error) {
	client, err := c.Link.enrolmentClient(credentials)
	return &newcomer{config: c, node: n, keys: keys, client: client}, err
}

// enrolmentClient calls as the link does, through its proxy if there is one.
func (c LinkConfig) enrolmentClient(credentials *link.Credentials) (*enrolment.Client, error) {
	var proxy *url.URL
	if c.Proxy != "" {
		var err error
		if proxy, err = url.Parse(c.Proxy); err != nil {
			return nil, err
		}
	}
	return enrolment.NewClient(link.NewCaller(credentials, proxy)), nil
}

// ask asks once. When the hub has its place, it takes the roster and the
// certificate that come with it.
func (w *newcomer) ask(ctx context.Context, i territory.Invitation) (placed, error) {
	q, err := requestOf(ctx, w.config, w.node, w.keys.Assurance())
	if err != nil {
		return placed{}, err
	}
	text, err := json.Marshal(q)
	if err != nil {
		return placed{}, err
	}
	told, err := w.sighted.Ask(ctx, w.client, i, w.node.RootKey(), text)
	if errors.Is(err, enrolment.ErrOtherRootHeld) {
		return placed{}, failWith(exitProof, "this hub was made for another root than the invitation's: it joins no other territory; make another hub, in another data_dir")
	}
	if err != nil {
		return placed{}, err
	}
	p := placed{Hub: w.node.Self(), State: told.State, Fingerprint: q.Fingerprint()}
	if told.State != node.RequestApproved {
		return p, nil
	}
	if err := w.settle(ctx, i, told); err != nil {
		return p, err
	}
	p.Version = w.node.Roster().Version
	return p, nil
}

// settle takes what came with approval.
func (w *newcomer) settle(ctx context.Context, i territory.Invitation, told node.Enrolled) error {
	if err := w.sighted.Install(ctx, w.client, i, w.node, told.Roster); err != nil {
		return err
	}
	r := w.node.Roster()
	if h, listed := r.Hub(w.node.Self()); !listed || h.State != territory.HubActive {
		return errors.New("the roster that came does not list this hub")
	}
	if len(told.Certificate) == 0 {
		return nil
	}
	return webui.CertifyAuthority(ctx, w.node.Secrets(), w.config.Web.hostNames(), told.Certificate, r.Authority)
}

// lookAround finds the territory of an invitation for a machine that has no
// identity yet: it calls under one that it forgets.
func lookAround(ctx context.Context, c Config, i territory.Invitation) (enrolment.Seen, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return enrolment.Seen{}, err
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return enrolment.Seen{}, err
	}
	credentials, err := link.NewCredentials(territory.HubIDOf(spki), key, nil)
	if err != nil {
		return enrolment.Seen{}, err
	}
	client, err := c.Link.enrolmentClient(credentials)
	if err != nil {
		return enrolment.Seen{}, err
	}
	return client.Look(ctx, i)
}

// joinError says what to do about why a hub could not ask.
func joinError(err error) error {
	if _, said := errors.AsType[*exitError](err); said || err == nil {
		return err
	}
	var status int
	var remedy string
	switch {
	case errors.Is(err, link.ErrNotInviting):
		status, remedy = exitFailed, "no invitation of that hub is open: this one ended, was withdrawn, or was made by another; ask for a new code"
	case errors.Is(err, enrolment.ErrUnreachable):
		status, remedy = exitUnreachable, "look at the cable, the firewall (port 7443) and [link] proxy, and that the hub which invited runs"
	case errors.Is(err, enrolment.ErrOldRoster), errors.Is(err, enrolment.ErrOtherRoot), errors.Is(err, territory.ErrForged),
		errors.Is(err, link.ErrForgedPeer), errors.Is(err, link.ErrWrongPeer), errors.Is(err, link.ErrUnknownPeer):
		status, remedy = exitProof, "something answers in the place of the territory, or was brought back in time; tell whoever invited you, and try from another network"
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Forbidden):
		status, remedy = exitFailed, "ask for a new code: relais territory invite"
	default:
		return err
	}
	return &exitError{status, fmt.Errorf("%w\n%s", err, remedy)}
}
