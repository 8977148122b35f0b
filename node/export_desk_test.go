package node

import (
	"context"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/people"
)

// SuspendAccount suspends an account on this hub, or reinstates it.
func (n *Node) SuspendAccount(ctx context.Context, id people.HelperID, since time.Time) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.SuspendHelper(id, since); err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine, Subject: id.String()})
	})
}

// The tests that are not about it hash cheaply: a hub's parameters take a tenth
// of a second and 64 MiB each time.
func init() {
	hashPassphrase = func(passphrase, salt []byte, _, _ uint32, _ uint8, tag uint32) []byte {
		return argon2.IDKey(passphrase, salt, 1, 8, 1, tag)
	}
}

// RealArgon hashes as a hub does until the test ends.
func RealArgon(t testing.TB) {
	cheap := hashPassphrase
	hashPassphrase = argon2.IDKey
	t.Cleanup(func() { hashPassphrase = cheap })
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
