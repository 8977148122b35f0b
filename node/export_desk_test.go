package node

import (
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"relais/node/id"
	"relais/node/internal/store"
	"relais/node/journal"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
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

// FillMandates makes many mandates that the helper may use, as rows alone: what
// the benchmark of Usable looks at.
func (n *Node) FillMandates(ctx context.Context, by Actor, ids []mandate.ID, start time.Time) error {
	sealed := make([]byte, 512)
	for batch := range slices.Chunk(ids, 5000) {
		err := n.db.Write(ctx, func(tx *store.Tx) error {
			person := id.Random[people.BeneficiaryID]()
			if err := n.newPerson(tx, person); err != nil {
				return err
			}
			for _, m := range batch {
				log := record.LogID{Hub: territory.HubID(m)}
				row, err := tx.AddRecord(store.RecordRow{
					Place: record.Place{LogID: log, Seq: 1}, Kind: record.KindNotice, Time: start, Payload: make([]byte, 120), Received: start,
				})
				if err != nil {
					return err
				}
				notice := &record.Notice{Mandate: m, Structure: by.Structure, Lines: 2, Start: start, End: mandate.Month.End(start), Regime: record.Local}
				if err := tx.AddNotice(row, record.Place{LogID: log, Seq: 1}, notice, false); err != nil {
					return err
				}
				_, err = tx.PutMandate(store.MandateRow{
					ID: m, Structure: by.Structure, Person: person, Regime: record.Local, Start: notice.Start, End: notice.End,
					Scopes: []mandate.Scope{mandate.Argent, mandate.Social}, Content: sealed,
					Paper: mandate.Paper{PrintedAt: start, SignedAt: start, HandedAt: start},
				})
				if err != nil {
					return err
				}
			}
			return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SelectOne is the peer of Usable: one prepared SELECT by primary key, through the
// same driver and the same pool, and nothing else.
func (n *Node) SelectOne(ctx context.Context, id mandate.ID) error {
	return n.db.ReadOne(ctx, func(r *store.Reader) error {
		var start, finish int64
		return r.QueryRow(`SELECT start, finish FROM mandates WHERE id = ?`, id[:]).Scan(&start, &finish)
	})
}
