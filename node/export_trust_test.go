package node

import (
	"errors"
	"testing"

	"relais/node/internal/store"
	"relais/node/territory"
)

// FailAfterTaking signs and takes a roster by the turned root in a transaction
// that fails at its end.
func (n *Node) FailAfterTaking(t testing.TB, root territory.Root) {
	t.Helper()
	failed := errors.New("the disk is full")
	shown := false
	err := n.db.Write(t.Context(), func(tx *store.Tx) error {
		turned, err := root.Turn()
		if err != nil {
			return err
		}
		next, err := n.Roster().Clone()
		if err != nil {
			return err
		}
		before := n.Roster().Version
		if _, err := n.sign(tx, turned, next, 0); err != nil {
			return err
		}
		shown = n.Roster().Version > before && n.RootKey() == turned.Public()
		return failed
	})
	if !errors.Is(err, failed) || !shown {
		t.Fatalf("%v, shown inside: %v", err, shown)
	}
}
