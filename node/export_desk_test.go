package node

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"relais/node/id"
	"relais/node/internal/argon2id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/nodetest"
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

// The tests that are not about it hash cheaply.
func init() { nodetest.CheapPassphrases() }

// RealArgon hashes as a hub does until the test ends.
func RealArgon(t testing.TB) {
	cheap := argon2id.Key
	argon2id.Key = argon2.IDKey
	t.Cleanup(func() { argon2id.Key = cheap })
}

// WatchArgon calls f with the parameters of each hash until the test ends.
func WatchArgon(t testing.TB, f func(passes, memory uint32, lanes uint8, salt int)) {
	real := argon2id.Key
	argon2id.Key = func(passphrase, salt []byte, passes, memory uint32, lanes uint8, tag uint32) []byte {
		f(passes, memory, lanes, len(salt))
		return real(passphrase, salt, passes, memory, lanes, tag)
	}
	t.Cleanup(func() { argon2id.Key = real })
}

// BusyArgon takes every turn to hash until the test ends, and shortens how long a
// sign-in waits for one.
func BusyArgon(t testing.TB, patience time.Duration) {
	kept := argonPatience
	argonPatience = patience
	for range cap(argonAtOnce) {
		argonAtOnce <- struct{}{}
	}
	t.Cleanup(func() {
		argonPatience = kept
		for range cap(argonAtOnce) {
			<-argonAtOnce
		}
	})
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

// FillMandates makes many mandates that the helper may use, as rows alone: what
// the benchmark of Usable looks at.
func (n *Node) FillMandates(ctx context.Context, by Actor, count int, start time.Time) (ids []mandate.ID, err error) {
	person := id.Random[people.BeneficiaryID]()
	from, to := start.UnixMilli(), mandate.Month.End(start).UnixMilli()
	err = n.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := n.newPerson(tx, person); err != nil {
			return err
		}
		for _, fill := range []struct {
			query string
			args  []any
		}{
			{
				`INSERT INTO mandates (id, structure, person, regime, scopes, start, finish, printed, signed, handed, content)
				WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?)
				SELECT randomblob(16), ?, ?, 1, x'0703', ?, ?, 1, 1, 1, randomblob(512) FROM i`,
				[]any{count, by.Structure[:], person[:], from, to},
			},
			{
				`INSERT INTO records (id, hub, incarnation, seq, hash, prev, kind, time, payload, received, bar)
				SELECT 1000 + rowid, id, 1, 1, randomblob(32), zeroblob(16), 1, ?, zeroblob(120), ?, '' FROM mandates`,
				[]any{from, from},
			},
			{`INSERT INTO notices (record, mandate, structure, hub, incarnation, seq, lines, start, finish, regime, stop, dossier)
				SELECT 1000 + rowid, id, structure, id, 1, 1, 2, start, finish, 1, randomblob(16), randomblob(16) FROM mandates`, nil},
		} {
			if _, err := tx.Exec(fill.query, fill.args...); err != nil {
				return err
			}
		}
		rows, err := tx.Query(`SELECT id FROM mandates`)
		err = store.Each(rows, err, func(rows *sql.Rows) error {
			var octets []byte
			err := rows.Scan(&octets)
			ids = append(ids, mandate.ID(octets))
			return err
		})
		if err != nil {
			return err
		}
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine})
	})
	return ids, err
}

// SelectOne is the peer of Usable: one prepared SELECT by primary key, through the
// same driver and the same pool, and nothing else.
func (n *Node) SelectOne(ctx context.Context, id mandate.ID) error {
	return n.db.ReadOne(ctx, func(r *store.Reader) error {
		var start, finish int64
		return r.QueryRow(`SELECT start, finish FROM mandates WHERE id = ?`, id[:]).Scan(&start, &finish)
	})
}
