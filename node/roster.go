package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"relais/node/durable"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/territory"
)

// rosterFile is a copy of the roster beside the database, for people and for
// other programs. What the database holds is the truth.
const rosterFile = "roster.note"

// ErrOtherTerritory means that a roster is signed by our root for another
// territory.
var ErrOtherTerritory = errors.New("the roster is of another territory")

// ErrRosterConflict means that two rosters have one version: the root signed twice.
var ErrRosterConflict = errors.New("another roster has the same version")

// heldRoster is a roster that passed OpenRoster, with its signed form.
type heldRoster struct {
	*territory.Roster
	note   []byte
	root   string           // the key that signed: pinned with it
	pinned string           // the one this hub held when it verified
	self   territory.Author // this hub; without a key when it is not listed
}

// holding reads this hub's key once for every record that it will author.
func (n *Node) holding(roster *territory.Roster, note []byte, root, pinned string) *heldRoster {
	self, _ := roster.Author(n.self)
	return &heldRoster{roster, note, root, pinned, self}
}

// Roster is the current roster, or nil before the first. Never modified.
func (n *Node) Roster() *territory.Roster {
	if held := n.roster.Load(); held != nil {
		return held.Roster
	}
	return nil
}

// RosterNote is the current roster as signed, for other hubs; nil before the
// first. It is one that is on the disk: a version that other hubs hold is never
// signed again with another text.
func (n *Node) RosterNote() []byte {
	if kept := n.kept.Load(); kept != nil {
		return kept.note
	}
	return nil
}

// OnRoster calls f after each new roster. For wiring, before Run.
func (n *Node) OnRoster(f func(*territory.Roster)) { n.onRoster = append(n.onRoster, f) }

// errRootMoved means that another root was pinned while a roster was verified.
var errRootMoved = errors.New("another root was pinned meanwhile")

// InstallRoster takes a newer signed roster, durably. An older or equal one
// that matches is no error; a forged one, one of another territory, or one that
// drops or renumbers a member (territory.ErrNotSuccessor), is. One signed by the
// root that the present roster announces is taken, and that root pinned.
func (n *Node) InstallRoster(ctx context.Context, note []byte) error {
	for {
		taken, err := n.openSigned(note)
		if err != nil {
			return fmt.Errorf("install roster: %w", err)
		}
		var newer bool
		err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
			newer, err = n.takeRoster(tx, taken)
			return err
		})
		if errors.Is(err, errRootMoved) {
			continue // a rotation came in between, and none comes twice of one roster
		}
		if err == nil && newer {
			n.rosterTaken(ctx, taken)
		}
		return err
	}
}

// openSigned verifies a roster by the pinned root or the one that follows it.
func (n *Node) openSigned(note []byte) (*heldRoster, error) {
	pinned, announced := n.birth.RootKey, []byte(nil)
	if held := n.roster.Load(); held != nil {
		pinned, announced = held.root, held.NextRoot
	}
	roster, root, err := territory.OpenNext(note, pinned, announced)
	if err != nil {
		return nil, err
	}
	if roster.Territory != n.birth.Territory {
		return nil, fmt.Errorf("of %s: %w", roster.Territory, ErrOtherTerritory)
	}
	return n.holding(roster, bytes.Clone(note), root, pinned), nil
}

// rosterTaken tells everybody of a roster, after the commit. Two may come here in
// either order.
func (n *Node) rosterTaken(ctx context.Context, taken *heldRoster) {
	n.keepRoster(ctx, taken)
	n.wakeSigner() // what waited for this hub to be listed may be said now
	for _, f := range n.onRoster {
		f(taken.Roster)
	}
}

// keepRoster gives a roster that is on the disk to other hubs, and to the copy
// beside the database, unless a later one was.
func (n *Node) keepRoster(ctx context.Context, taken *heldRoster) {
	n.copying.Lock()
	defer n.copying.Unlock()
	if kept := n.kept.Load(); kept != nil && kept.Version >= taken.Version {
		return
	}
	n.kept.Store(taken)
	if err := durable.Write(filepath.Join(n.dir, rosterFile), taken.note, 0o600); err != nil {
		n.log.WarnContext(ctx, "the copy of the roster was not written", "err", err)
	}
}

// takeRoster keeps a roster whose version is above the one kept, and shows it
// before the next transaction takes records by the old one.
func (n *Node) takeRoster(tx *store.Tx, taken *heldRoster) (newer bool, err error) {
	if newer, err = n.follows(tx, taken); err != nil || !newer {
		return newer, err
	}
	if err := tx.PutMeta(metaRoster, taken.note); err != nil {
		return false, err
	}
	if err := tx.PutRoster(store.RosterRow{Version: taken.Version, Note: taken.note, Root: taken.root}); err != nil {
		return false, err
	}
	public := map[string]any{"version": taken.Version}
	if taken.root != taken.pinned {
		if err := tx.PutMeta(metaRootKey, []byte(taken.root)); err != nil {
			return false, err
		}
		public["root"] = taken.root
	}
	a := n.absorbing(tx, taken.Roster)
	a.ahead, _ = n.clockAhead(n.now())
	if err := a.reconsider(); err != nil {
		return false, err
	}
	if err := n.note(tx, entry{Kind: journal.KindRosterInstall, Actor: actorMachine, Public: public}); err != nil {
		return false, err
	}
	n.hold(tx, taken)
	return true, n.sayAgain(tx, a.silenced)
}

// follows tells whether a roster comes after the one kept.
func (n *Node) follows(tx *store.Tx, taken *heldRoster) (newer bool, err error) {
	note, found, err := tx.Meta(metaRoster)
	if err != nil || !found {
		return !found, err
	}
	if n.RootKey() != taken.pinned {
		return false, errRootMoved
	}
	held, err := territory.OpenRoster(note, taken.pinned)
	if err != nil {
		return false, fmt.Errorf("the roster kept: %w", err)
	}
	if held.Version == taken.Version && !sameText(note, taken.note) {
		return false, fmt.Errorf("roster %d: %w", taken.Version, ErrRosterConflict)
	}
	if held.Version >= taken.Version {
		return false, nil
	}
	if err := taken.Follows(held); err != nil {
		return false, fmt.Errorf("roster %d after %d: %w", taken.Version, held.Version, err)
	}
	return true, nil
}

// hold shows a roster, and the root that signed it, to the transactions that
// follow; both go back to what they were when this one is undone.
func (n *Node) hold(tx *store.Tx, taken *heldRoster) {
	before := n.roster.Swap(taken)
	tx.OnUndo(func() { n.roster.Store(before) })
}

// sameText compares signed notes by what is signed: two signatures of one text
// are one roster.
func sameText(a, b []byte) bool {
	const separator = "\n\n"
	cut := func(note []byte) []byte { return note[:max(bytes.LastIndex(note, []byte(separator)), 0)] }
	return bytes.Equal(cut(a), cut(b))
}

// openRoster reads the roster and mends its copy when it differs.
func (n *Node) openRoster(ctx context.Context) error {
	var note []byte
	err := n.db.Read(ctx, func(r *store.Reader) (err error) { note, _, err = r.Meta(metaRoster); return err })
	if err != nil || note == nil {
		return err
	}
	roster, err := territory.OpenRoster(note, n.birth.RootKey)
	if err != nil {
		return err
	}
	held := n.holding(roster, note, n.birth.RootKey, n.birth.RootKey)
	n.roster.Store(held)
	n.kept.Store(held)
	path := filepath.Join(n.dir, rosterFile)
	if copied, err := os.ReadFile(path); err == nil && bytes.Equal(copied, note) {
		return nil
	}
	return durable.Write(path, note, 0o600)
}
