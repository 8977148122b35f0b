package node

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"filippo.io/age"

	"relais/node/territory"
)

// envelope is a dossier's age file as far as its header: a fresh key, wrapped for
// each hub that serves a structure. That is what takes time, and it does not
// depend on the dossier. An envelope serves once.
type envelope struct {
	roster *territory.Roster // that named the hubs
	sealed bytes.Buffer
	body   io.WriteCloser
}

// envelopes are made ahead, one for each structure that had a use for one, so
// that a grant does not wait for the elliptic curve.
type envelopes struct {
	mu    sync.Mutex
	ahead map[territory.StructureID]func() (*envelope, error) // guarded by mu
}

// takeEnvelope returns an envelope addressed as the roster says now, and begins
// the next: a fraction of a millisecond that waits for nothing.
func (n *Node) takeEnvelope(id territory.StructureID) (*envelope, error) {
	next := sync.OnceValues(func() (*envelope, error) { return n.newEnvelope(id) })
	made := n.envelopes.swap(id, next)
	go next()
	if made != nil {
		if e, err := made(); err == nil && e.roster == n.Roster() {
			return e, nil
		}
	}
	return n.newEnvelope(id)
}

// swap puts the next envelope in the place of the one it returns, which nobody
// else gets; nil for none.
func (s *envelopes) swap(id territory.StructureID, next func() (*envelope, error)) (made func() (*envelope, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ahead == nil {
		s.ahead = map[territory.StructureID]func() (*envelope, error){}
	}
	made, s.ahead[id] = s.ahead[id], next
	return made
}

func (n *Node) newEnvelope(id territory.StructureID) (*envelope, error) {
	roster := n.Roster()
	recipients, err := n.recipients(roster, id)
	if err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	e := &envelope{roster: roster}
	if e.body, err = age.Encrypt(&e.sealed, recipients...); err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	return e, nil
}

// seal puts a dossier in and closes it.
func (e *envelope) seal(plain []byte) ([]byte, error) {
	if _, err := e.body.Write(plain); err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	if err := e.body.Close(); err != nil {
		return nil, fmt.Errorf("seal dossier: %w", err)
	}
	return e.sealed.Bytes(), nil
}
