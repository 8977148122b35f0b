package node

import (
	"context"
	"testing"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
	"relais/node/record"
)

// Say writes a record in this hub's log, as the change it tells of would.
func (n *Node) Say(ctx context.Context, body record.Body) (place record.Place, err error) {
	err = n.db.Write(ctx, func(tx *store.Tx) (err error) {
		if place, _, err = n.author(tx, body); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine})
	})
	return place, err
}

// SuspendAccount suspends an account on this hub, or reinstates it.
func (n *Node) SuspendAccount(ctx context.Context, id people.HelperID, since time.Time) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SuspendHelper(id, since); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine, Subject: id.String()})
	})
}

// WatchArgon calls f with the parameters of each hash until the test ends.
func WatchArgon(t testing.TB, f func(passes, memory uint32, lanes uint8, salt int)) {
	real := hashPassphrase
	hashPassphrase = func(passphrase, salt []byte, passes, memory uint32, lanes uint8, tag uint32) []byte {
		f(passes, memory, lanes, len(salt))
		return real(passphrase, salt, passes, memory, lanes, tag)
	}
	t.Cleanup(func() { hashPassphrase = real })
}

// CountRows counts the rows of a table.
func (n *Node) CountRows(ctx context.Context, table string) (count int, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		return r.QueryRow(`SELECT count(*) FROM ` + table).Scan(&count)
	})
	return count, err
}

// CountEntries counts the journal's entries of a kind.
func (n *Node) CountEntries(ctx context.Context, kind journal.Kind) (count int, err error) {
	err = n.db.Read(ctx, func(r *store.Reader) error {
		return r.QueryRow(`SELECT count(*) FROM journal WHERE kind = ?`, string(kind)).Scan(&count)
	})
	return count, err
}
