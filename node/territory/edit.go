package territory

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

var (
	// ErrNotListed means that the roster has no such member.
	ErrNotListed = errors.New("the roster does not list it")
	// ErrExpelled means that the hub was put out before: where its logs end was
	// decided then, and whoever could say it again could let it speak again.
	ErrExpelled = errors.New("the hub is expelled already")
	// ErrOtherNational means that the territory has a national service, of another
	// key: what the one said would be nobody's any more.
	ErrOtherNational = errors.New("the territory already has a national service")
)

// Clone returns a copy to edit: a roster in use is never changed.
func (r *Roster) Clone() (*Roster, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("copy roster: %w", err)
	}
	c := new(Roster)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("copy roster: %w", err)
	}
	return c, nil
}

// Enrol adds the hub of a request, or brings the description of a known one up
// to date, and returns its entry. Its index is new and never used again; state
// and cuts are the roster's own. An expelled hub stays expelled.
func (r *Roster) Enrol(h Hub) Hub {
	for i, known := range r.Hubs {
		if known.ID == h.ID {
			h.Index, h.State, h.Cuts, h.ExpelledAt, h.Extra = known.Index, known.State, known.Cuts, known.ExpelledAt, known.Extra
			r.Hubs[i] = h
			return h
		}
	}
	// What this version does not know, nobody approved: the root does not sign it.
	h.Index, h.State, h.Cuts, h.ExpelledAt, h.Extra = r.NextIndex(), HubActive, nil, time.Time{}, nil
	r.Hubs = append(r.Hubs, h)
	return h
}

// NextIndex returns an index that no member has, expelled ones included. The
// national service counts from the other end.
// Where none is left it returns one that is taken, which no root signs.
func (r *Roster) NextIndex() uint16 {
	next := 1
	for _, h := range r.Hubs {
		next = max(next, int(h.Index)+1)
	}
	if r.National != nil && int(r.National.Index) == next {
		next++
	}
	return uint16(min(next, math.MaxUint16))
}

// Replace closes the hub that was lost, where its logs end, and lets h serve the
// structures that it served; it stays among those, for what it said stands. One
// that was expelled meanwhile keeps the ends it was given. The error is
// ErrNotListed.
func (r *Roster) Replace(lost Replaced, h HubID) error {
	if err := r.close(lost.Hub, lost.Cuts); err != nil && !errors.Is(err, ErrExpelled) {
		return err
	}
	for j := range r.Structures {
		s := &r.Structures[j]
		if s.ServedBy(lost.Hub) && !s.ServedBy(h) {
			s.Serving = append(s.Serving, h)
		}
	}
	return nil
}

// Expel puts a hub out of the territory: what it said up to the cuts stands,
// whoever brings it, and nothing above does. It stays among the hubs of its
// structures, without which what it said could not stand; nothing is sealed to
// it any more. The errors are ErrNotListed and ErrExpelled.
func (r *Roster) Expel(hub HubID, cuts []Cut) error { return r.close(hub, cuts) }

func (r *Roster) close(hub HubID, cuts []Cut) error {
	i := slices.IndexFunc(r.Hubs, func(h Hub) bool { return h.ID == hub })
	if i < 0 {
		return fmt.Errorf("hub %s: %w", hub, ErrNotListed)
	}
	h := &r.Hubs[i]
	if h.State == HubExpelled {
		return fmt.Errorf("hub %s: %w", hub, ErrExpelled)
	}
	h.State, h.Cuts = HubExpelled, cuts
	h.Addresses, h.HostNames, h.KioskName = nil, nil, "" // another may answer there
	return nil
}

// PutNational names the national service, or says what is new of the one that has
// its key: name, address, witness key, which an entry that has none leaves. It
// returns what it wrote. The error is ErrOtherNational.
func (r *Roster) PutNational(n National) (National, error) {
	switch known := r.National; {
	case known != nil && known.ID != n.ID:
		return n, fmt.Errorf("%w, %s", ErrOtherNational, known.ID)
	case known != nil:
		n.Index, n.Cuts, n.Extra = known.Index, known.Cuts, known.Extra
		if len(n.Witness) == 0 {
			n.Witness = known.Witness
		}
	case slices.ContainsFunc(r.Hubs, func(h Hub) bool { return h.Index == n.Index }):
		n.Index = r.NextIndex()
	}
	r.National = &n
	return n, nil
}

// PutStructure adds a structure, under a fresh identifier when it has none, or
// puts it in the place of the one with its identifier. It returns what it wrote.
// Two structures of one name are refused: people choose by it.
func (r *Roster) PutStructure(s Structure) (Structure, error) {
	for _, known := range r.Structures {
		if known.Name == s.Name && known.ID != s.ID {
			return s, fmt.Errorf("structure %s has the name already", known.ID)
		}
	}
	if s.ID.IsZero() {
		rand.Read(s.ID[:]) // never fails since Go 1.24
		r.Structures = append(r.Structures, s)
		return s, nil
	}
	i := slices.IndexFunc(r.Structures, func(known Structure) bool { return known.ID == s.ID })
	if i < 0 {
		return s, fmt.Errorf("structure %s: %w", s.ID, ErrNotListed)
	}
	s.Extra = r.Structures[i].Extra
	r.Structures[i] = s
	return s, nil
}
