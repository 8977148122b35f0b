package store_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"relais/node/internal/store"
	"relais/node/journal"
)

// holds checks that the journal has size entries and that its tree, rebuilt from
// the rows by the reference, is the one its hashes give.
func holds(t testing.TB, db *store.DB, size int64) {
	t.Helper()
	err := db.Read(t.Context(), func(r *store.Reader) error {
		got, err := tlog.TreeHash(size, r)
		if err != nil {
			return err
		}
		tree := rebuilt(t, r)
		if tree.Size() != size {
			t.Errorf("%d entries, want %d", tree.Size(), size)
		}
		if want := tree.Root(); got != want {
			t.Errorf("root %v, the entries say %v", got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func rebuilt(t testing.TB, r *store.Reader) (tree journal.Tree) {
	t.Helper()
	rows, err := r.Query(`SELECT at, kind, actor, subject, public FROM journal ORDER BY seq`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var e journal.Entry
		if err := rows.Scan(&at, &e.Kind, &e.Actor, &e.Subject, &e.Public); err != nil {
			t.Fatal(err)
		}
		e.At = store.Time(at)
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		tree.Append(leaf)
	}
	return tree
}

func TestAppendJournal(t *testing.T) {
	db, path := open(t)
	source := rand.New(rand.NewPCG(1, 2))
	undone := errors.New("undone")
	var size int64
	for range 40 {
		batch, fails := source.Int64N(5), source.IntN(3) == 0
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range batch {
				seq, err := tx.AppendJournal(store.JournalRow{At: tx.Now, Kind: journal.KindControl, Actor: "machine"})
				if err != nil || seq != size+i {
					t.Errorf("entry %d, %v; want %d", seq, err, size+i)
				}
			}
			if fails {
				return undone
			}
			return nil
		})
		switch {
		case fails && !errors.Is(err, undone), !fails && err != nil:
			t.Fatal(err)
		case !fails:
			size += batch
		}
	}
	holds(t, db, size)

	t.Run("resumed", func(t *testing.T) {
		db.Close()
		db := reopen(t, path, store.Options{})
		if err := db.Write(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		holds(t, db, size+1)
	})
}

func TestAppendJournalThatFailsLeavesTheTree(t *testing.T) {
	db, _ := open(t)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if err := note(tx); err != nil {
			return err
		}
		if _, err := tx.AppendJournal(store.JournalRow{At: tx.Now, Actor: "no kind"}); err == nil {
			t.Error("an entry without a kind was kept")
		}
		return note(tx) // f goes on all the same
	})
	if err != nil {
		t.Fatal(err)
	}
	holds(t, db, 2)
}
