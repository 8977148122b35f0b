package territory

import (
	"bytes"
	"crypto/ecdsa"
	"time"
)

// Author is a member that has logs of its own: a hub or the national service.
type Author struct {
	Index    uint16
	ID       HubID
	Name     string
	Key      *ecdsa.PublicKey
	National bool
	Expelled bool
	Cuts     []Cut
}

// Author returns the member with this identifier, expelled ones included: the
// records below their cuts still count.
func (r *Roster) Author(id HubID) (Author, bool) {
	return r.author(func(_ uint16, other HubID) bool { return other == id })
}

// AuthorAt returns the member with this index.
func (r *Roster) AuthorAt(index uint16) (Author, bool) {
	return r.author(func(other uint16, _ HubID) bool { return other == index })
}

// IndexOf returns a member's index; like Author without its key, which takes time
// to read.
func (r *Roster) IndexOf(id HubID) (index uint16, known bool) {
	for _, h := range r.Hubs {
		if h.ID == id {
			return h.Index, true
		}
	}
	if r.National != nil && r.National.ID == id {
		return r.National.Index, true
	}
	return 0, false
}

func (r *Roster) author(match func(uint16, HubID) bool) (Author, bool) {
	for _, h := range r.Hubs {
		if match(h.Index, h.ID) {
			key, err := ParseIdentity(h.Identity)
			return Author{h.Index, h.ID, h.Name, key, false, h.State == HubExpelled, h.Cuts}, err == nil
		}
	}
	if n := r.National; n != nil && match(n.Index, n.ID) {
		key, err := ParseIdentity(n.Identity)
		return Author{n.Index, n.ID, n.Name, key, true, false, n.Cuts}, err == nil
	}
	return Author{}, false
}

// Admits tells whether a record at this place of the author's logs may count:
// at or below a log's cut it does, whoever brings it; above, it never does,
// whatever came first. Logs of an expelled author that have no cut are void.
func (a Author) Admits(incarnation uint16, seq uint32, hash [32]byte) bool {
	for _, c := range a.Cuts {
		if c.Incarnation == incarnation {
			return seq < c.Seq || seq == c.Seq && bytes.Equal(c.Hash, hash[:])
		}
	}
	return !a.Expelled
}

// Last returns the last seq of a log that the roster admits, and whether it
// bounds that log at all.
func (a Author) Last(incarnation uint16) (seq uint32, bounded bool) {
	for _, c := range a.Cuts {
		if c.Incarnation == incarnation {
			return c.Seq, true
		}
	}
	return 0, a.Expelled
}

// Location returns the zone of the territory's screens and papers.
func (r *Roster) Location() *time.Location {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil {
		return time.UTC // Validate refused it already
	}
	return zone
}
