package enrolment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/link"
)

// Client is the newcomer's side.
type Client struct{ caller *link.Caller }

// NewClient returns a client that calls with the newcomer's own credentials.
func NewClient(caller *link.Caller) *Client { return &Client{caller} }

// Seen is the territory that an invitation leads to, verified by its code.
type Seen struct {
	RootKey string
	Note    []byte // the roster, as signed
	Roster  *territory.Roster
	turns   [][]byte // see From
	address string   // that answered
}

// Look finds the territory of an invitation: nothing is told to anybody. Errors:
// ErrUnreachable, ErrOtherRoot, ErrOldRoster, link.ErrNotInviting, and
// territory.ErrForged.
func (c *Client) Look(ctx context.Context, i territory.Invitation) (Seen, error) {
	var failures []error
	for _, address := range i.Addresses {
		seen, err := c.lookAt(ctx, i, address)
		if err == nil {
			return seen, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", address, err))
		if ctx.Err() != nil {
			break
		}
	}
	return Seen{}, errors.Join(failures...)
}

func (c *Client) lookAt(ctx context.Context, i territory.Invitation, address string) (seen Seen, err error) {
	client := c.caller.Client(address, nil, i.Hub)
	defer client.CloseIdleConnections()
	var w welcome
	if err := call(ctx, client, http.MethodGet, pathTerritory, nil, &w); err != nil {
		if fault.Of(err).Code != fault.Internal { // anybody may be speaking: not a word of it is shown
			err = fmt.Errorf("%w: it has no roster to show (%s)", ErrUnreachable, fault.Of(err).Code)
		}
		return seen, err
	}
	turns := notesOf(w.Turns)
	if !leads(turns, i.Root, w.Root) {
		return seen, ErrOtherRoot
	}
	r, err := territory.OpenRoster([]byte(w.Roster), w.Root)
	switch {
	case err != nil:
		return seen, err
	case r.Territory != i.Territory:
		return seen, fmt.Errorf("%w: %s", ErrOtherRoot, r.Territory)
	case r.Version < i.MinVersion:
		return seen, fmt.Errorf("%w: version %d, and it says at least %d", ErrOldRoster, r.Version, i.MinVersion)
	}
	return Seen{w.Root, []byte(w.Roster), r, turns, address}, nil
}

// Ask hands the request over to the hub that invited, and returns what became of
// it; asked again, the same request is how the answer is fetched. Errors: the
// faults of node.TakeRequest, link.ErrWrongPeer and the like when another hub
// answers, and ErrUnreachable.
func (c *Client) Ask(ctx context.Context, i territory.Invitation, seen Seen, request []byte) (node.Enrolled, error) {
	client := c.caller.Client(seen.address, seen.Roster, i.Hub)
	defer client.CloseIdleConnections()
	body, err := json.Marshal(ask{i.Secret[:], string(request)})
	if err != nil {
		return node.Enrolled{}, err
	}
	var t told
	if err := call(ctx, client, http.MethodPost, pathJoin, body, &t); err != nil {
		return node.Enrolled{}, err
	}
	return node.Enrolled{State: t.State, Fingerprint: t.Fingerprint, Roster: []byte(t.Roster), Certificate: t.Certificate}, nil
}

// call makes one request and reads its answer, or the fault in it.
func call(ctx context.Context, client *http.Client, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "https://join"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", typeJSON)
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerOctets+1))
	if err != nil || len(text) > maxAnswerOctets {
		return fmt.Errorf("%w: its answer broke off, or is too long: %w", ErrUnreachable, err)
	}
	if resp.StatusCode != http.StatusOK {
		return refused(resp.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}

func refused(status int, text []byte) error {
	var r refusal
	if err := json.Unmarshal(text, &r); err != nil || r.Message == "" {
		return fmt.Errorf("%w: status %d", ErrUnreachable, status)
	}
	return fault.Errorf(fault.Code(r.Code), r.Message, "%s", r.Detail)
}
