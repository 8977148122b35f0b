package store_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/store"
	"relais/node/record"
)

func TestAppend(t *testing.T) {
	t.Run("twice is once", func(t *testing.T) {
		db, _ := open(t)
		rows := chain(logA1, "a", 20)
		want := store.Applied{New: 20, Notices: 15, Stops: 5}
		if diff := cmp.Diff(want, appendAll(t, db, rows)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(store.Applied{Known: 20}, appendAll(t, db, rows)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("any order ends at one head", func(t *testing.T) {
		db, _ := open(t)
		rows := chain(logA1, "a", 40)
		shuffled := slices.Clone(rows)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		for _, r := range shuffled {
			appendAll(t, db, []store.Row{r})
		}
		head := onlyHead(t, db)
		if head.Seq != 40 || head.Hash != rows[39].Hash || head.Held != 0 || head.ForkedAt != 0 {
			t.Fatalf("head %+v", head)
		}
	})
	t.Run("held until its predecessors come", func(t *testing.T) {
		db, _ := open(t)
		rows := chain(logA1, "a", 8)
		if done := appendAll(t, db, rows[4:]); done.Held != 4 {
			t.Fatalf("%+v", done)
		}
		if head := onlyHead(t, db); head.Seq != 0 || head.Held != 4 || head.Revocations != 1 {
			t.Fatalf("head %+v", head)
		}
		if done := appendAll(t, db, rows[:4]); done.Held != 0 {
			t.Fatalf("%+v", done)
		}
	})
	t.Run("too far ahead is not kept", func(t *testing.T) {
		db, _ := open(t)
		rows := chain(logA1, "a", 1026)
		if done := appendAll(t, db, rows[1023:]); done.New != 1 || done.TooFar != 2 {
			t.Fatalf("%+v", done)
		}
	})
}

func TestForks(t *testing.T) {
	t.Run("two payloads at one place", func(t *testing.T) {
		db, _ := open(t)
		rows, other := chain(logA1, "a", 8), chain(logA1, "b", 8)
		appendAll(t, db, rows)
		if done := appendAll(t, db, other[3:5]); done.Forks != 2 {
			t.Fatalf("%+v", done)
		}
		if done := appendAll(t, db, other[3:5]); done.Known != 2 {
			t.Fatalf("the proof again: %+v", done)
		}
		if head := onlyHead(t, db); head.ForkedAt != 4 || head.Seq != 8 || head.Hash != rows[7].Hash {
			t.Fatalf("head %+v", head)
		}
	})
	t.Run("a successor of another record", func(t *testing.T) {
		db, _ := open(t)
		rows, other := chain(logA1, "a", 8), chain(logA1, "b", 8)
		appendAll(t, db, rows[:4])
		appendAll(t, db, other[4:6])
		if head := onlyHead(t, db); head.ForkedAt != 5 || head.Seq != 4 {
			t.Fatalf("head %+v", head)
		}
	})
}

func TestRange(t *testing.T) {
	db, _ := open(t)
	rows := chain(logA1, "a", 10) // of 3 octets each
	appendAll(t, db, rows)
	wires, more, err := db.Range(t.Context(), logA1, 3, 9, 10)
	if err != nil || !more || len(wires) != 3 || !bytes.Equal(wires[0], rows[2].Wire) {
		t.Fatalf("%d wires, more %v, %v", len(wires), more, err)
	}
	wires, more, err = db.Range(t.Context(), logA1, 6, 9, 12)
	if err != nil || more || len(wires) != 4 {
		t.Fatalf("%d wires, more %v, %v", len(wires), more, err)
	}
	if _, found, err := db.HashAt(t.Context(), record.Place{LogID: logA1, Seq: 11}); err != nil || found {
		t.Fatalf("a record that is not here: %v, %v", found, err)
	}
}

func onlyHead(t *testing.T, db *store.DB) store.Head {
	t.Helper()
	heads, err := db.Heads(t.Context())
	if err != nil || len(heads) != 1 {
		t.Fatalf("%d heads, %v", len(heads), err)
	}
	return heads[0]
}
