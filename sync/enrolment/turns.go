package enrolment

import (
	"context"
	"slices"
	"sync"

	"relais/node/territory"
)

// maxTurnsOctets bounds the turns in one answer. The newest are kept: a code, and
// a hub that waits, are of this month.
const maxTurnsOctets = 2 * territory.MaxRosterOctets

// greeter keeps the last welcome: who asks is a stranger, and to look for the
// turns is to read every roster there was.
type greeter struct {
	mu   sync.Mutex // guards last
	last welcome
}

// welcome is what anybody is told. The note is read first: the turns of a roster
// that is on the disk are there too.
func (g *greeter) welcome(ctx context.Context, host Host) (welcome, error) {
	note := host.RosterNote()
	root := host.RootKey()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last.Root == root && g.last.Roster == string(note) {
		return g.last, nil
	}
	notes, err := host.RosterTurns(ctx, 0)
	if err != nil {
		return welcome{}, err
	}
	g.last = welcome{Root: root, Roster: string(note), Turns: newest(notes)}
	return g.last, nil
}

// newest are the last turns that fit in an answer, the oldest first; none where
// the root never turned.
func newest(notes [][]byte) (turns []string) {
	if len(notes) < 2 {
		return nil
	}
	room := maxTurnsOctets
	for _, note := range slices.Backward(notes) {
		if room -= len(note); room < 0 {
			break
		}
		turns = append(turns, string(note))
	}
	slices.Reverse(turns)
	return turns
}

// From are the turns by which a hub that pinned a root comes to the roster that
// was seen, the oldest first: the first roster of that root, and of each that
// follows. None where no turn leads there. What installs them judges them.
func (s Seen) From(root string) [][]byte {
	if root == s.RootKey {
		return nil
	}
	return from(s.turns, territory.RootFingerprint(root))
}

// Follows tells whether the territory that was seen is the one of a root that was
// pinned: under that root still, or under one that it announced, turn by turn.
func (s Seen) Follows(root string) bool {
	return leads(s.turns, territory.RootFingerprint(root), s.RootKey)
}

// from drops the turns before those of a root.
func from(turns [][]byte, fingerprint [16]byte) [][]byte {
	for i, note := range turns {
		if territory.RootFingerprint(territory.NamedRoot(note)) == fingerprint {
			return turns[i:]
		}
	}
	return nil
}

// leads tells whether a root is the one of a fingerprint, or follows it by these
// turns, each recognised by what the one before announced. A key is what has the
// fingerprint: whoever answers cannot choose another.
func leads(turns [][]byte, fingerprint [16]byte, to string) bool {
	if territory.RootFingerprint(to) == fingerprint {
		return true
	}
	turns = from(turns, fingerprint)
	if len(turns) == 0 {
		return false
	}
	root, announced := territory.NamedRoot(turns[0]), []byte(nil)
	for _, note := range turns {
		r, signer, err := territory.OpenNext(note, root, announced)
		if err != nil {
			return false
		}
		root, announced = signer, r.NextRoot
	}
	return root == to
}

// notesOf are the turns of an answer.
func notesOf(turns []string) (notes [][]byte) {
	for _, t := range turns {
		notes = append(notes, []byte(t))
	}
	return notes
}
