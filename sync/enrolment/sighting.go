package enrolment

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
)

// Sighting is what the last invitation led to, kept: a newcomer that waits asks
// every other second, and the roster is not fetched each time. The zero value has
// seen nothing. Many may ask at once.
type Sighting struct {
	mu   sync.Mutex // guards what follows
	code string
	seen Seen
}

// Ask is Client.Ask for a hub that pinned a root, after one look. It looks again
// when nobody it can believe answers as the hub that was seen: that one may have
// another address, or the roster another hub. Errors: those of Client.Look and
// Client.Ask, and ErrOtherRootHeld.
func (s *Sighting) Ask(ctx context.Context, c *Client, i territory.Invitation, pinned string, request []byte) (node.Enrolled, error) {
	seen, fresh, err := s.look(ctx, c, i)
	if err != nil {
		return node.Enrolled{}, err
	}
	told, err := askSeen(ctx, c, i, seen, pinned, request)
	if err == nil || fresh || said(err) {
		return told, err
	}
	s.forget()
	if seen, _, err = s.look(ctx, c, i); err != nil {
		return node.Enrolled{}, err
	}
	return askSeen(ctx, c, i, seen, pinned, request)
}

func askSeen(ctx context.Context, c *Client, i territory.Invitation, seen Seen, pinned string, request []byte) (node.Enrolled, error) {
	if !seen.Follows(pinned) {
		return node.Enrolled{}, ErrOtherRootHeld
	}
	return c.Ask(ctx, i, seen, request)
}

// said tells whether an error is the word of the hub that was asked.
func said(err error) bool {
	_, is := errors.AsType[*fault.Error](err)
	return is
}

// Pinned is a hub that takes rosters by the root it pinned. *node.Node satisfies
// it.
type Pinned interface {
	RootKey() string
	InstallRoster(ctx context.Context, note []byte) error
}

// Install gives a newcomer the roster that came with approval. A root may have
// turned since the hub was made, or while it waited: then each turn is followed
// first, in order. Errors: those of Client.Look and InstallRoster.
func (s *Sighting) Install(ctx context.Context, c *Client, i territory.Invitation, into Pinned, roster []byte) error {
	seen, fresh, err := s.look(ctx, c, i)
	if err != nil {
		return err
	}
	err = install(ctx, seen, into, roster)
	if fresh || !errors.Is(err, territory.ErrForged) {
		return err
	}
	s.forget()
	if seen, _, err = s.look(ctx, c, i); err != nil {
		return err
	}
	return install(ctx, seen, into, roster)
}

func install(ctx context.Context, seen Seen, into Pinned, roster []byte) error {
	for _, note := range seen.From(into.RootKey()) {
		if err := into.InstallRoster(ctx, note); err != nil {
			return fmt.Errorf("follow the territory's root: %w", err)
		}
	}
	return into.InstallRoster(ctx, roster)
}

// look looks, if it has not for this invitation, and tells whether it did.
func (s *Sighting) look(ctx context.Context, c *Client, i territory.Invitation) (seen Seen, fresh bool, err error) {
	code, err := i.Code()
	if err != nil {
		return seen, false, err
	}
	s.mu.Lock()
	known, seen := s.code == code, s.seen
	s.mu.Unlock()
	if known {
		return seen, false, nil
	}
	if seen, err = c.Look(ctx, i); err != nil {
		return seen, false, err
	}
	s.mu.Lock()
	s.code, s.seen = code, seen
	s.mu.Unlock()
	return seen, true, nil
}

func (s *Sighting) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.seen = "", Seen{}
}
