package store_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/record"
)

func TestAppend(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		t.Run("twice is once", func(t *testing.T) {
			db := open(t, empty(t))
			rows := chain(logA1, "a", 20)
			want := store.Applied{New: 20}
			if diff := cmp.Diff(want, appendAll(t, db, rows)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(store.Applied{Known: 20}, appendAll(t, db, rows)); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("any order ends at one head", func(t *testing.T) {
			db := open(t, empty(t))
			rows := chain(logA1, "a", 40)
			shuffled := slices.Clone(rows)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) {
				shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
			})
			for _, r := range shuffled {
				appendAll(t, db, []store.Row{r})
			}
			head := onlyHead(t, db)
			if head.Seq != 40 || head.Hash != rows[39].Hash || head.Held != 0 || head.Forked {
				t.Fatalf("head %+v", head)
			}
		})
		t.Run("held until its predecessors come", func(t *testing.T) {
			db := open(t, empty(t))
			rows := chain(logA1, "a", 8)
			if done := appendAll(t, db, rows[4:]); done.Held != 4 {
				t.Fatalf("%+v", done)
			}
			if head := onlyHead(t, db); head.Seq != 0 || head.Held != 4 || head.Revocations != 1 {
				t.Fatalf("head %+v", head)
			}
			if done := appendAll(t, db, rows[1:2]); done.Held != 1 {
				t.Fatalf("those held before are counted again: %+v", done)
			}
			if done := appendAll(t, db, rows[:4]); done.Held != 0 {
				t.Fatalf("%+v", done)
			}
		})
		t.Run("beyond 1,024 held, postponed", func(t *testing.T) {
			db := open(t, empty(t))
			rows := chain(logA1, "a", 1026)
			if done := appendAll(t, db, rows[1:]); done.New != 1024 || done.Postponed != 1 {
				t.Fatalf("%+v", done)
			}
		})
	})
}

func TestTooManyLogs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		id := logA1
		for i := range uint16(record.MaxLogs + 100) {
			id.Incarnation = i + 1
			want := store.Applied{New: 1}
			if i >= record.MaxLogs {
				want = store.Applied{Postponed: 1}
			}
			if diff := cmp.Diff(want, appendAll(t, db, chain(id, "a", 1))); diff != "" {
				t.Fatalf("log %d: %s", i+1, diff)
			}
		}
		if heads, err := db.Heads(t.Context()); err != nil || len(heads) != record.MaxLogs {
			t.Errorf("%d logs, %v", len(heads), err)
		}
		id.Incarnation = 3
		if done := appendAll(t, db, chain(id, "a", 2)); done.New != 1 {
			t.Errorf("a log that is known: %+v", done)
		}
	})
}

func TestForks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		t.Run("two records at one place, both kept", func(t *testing.T) {
			db := open(t, empty(t))
			rows, other := chain(logA1, "a", 8), chain(logA1, "b", 8)
			appendAll(t, db, rows)
			if done := appendAll(t, db, other[7:]); done.Forks != 1 || done.New != 1 {
				t.Fatalf("%+v", done)
			}
			if done := appendAll(t, db, other[7:]); done.Known != 1 || done.Forks != 0 {
				t.Fatalf("the proof again: %+v", done)
			}
			twins := variants(rows[7], other[7])
			if head := onlyHead(t, db); !head.Forked || head.Seq != 8 || head.Records != 9 || head.ForkedAt != 7 ||
				head.Hash != record.LogHash(slices.Concat(variants(rows[6]), twins)) {
				t.Fatalf("head %+v", head)
			}
			if wires, next, err := db.Range(t.Context(), logA1, 7, 8, store.Unbounded, 6); err != nil || len(wires) != 1 || next != 8 {
				t.Fatalf("a page that splits the variants of a place: %d records, then %d, %v", len(wires), next, err)
			}
			if wires, _, err := db.Range(t.Context(), logA1, 8, 8, store.Unbounded, 1000); err != nil || len(wires) != 2 {
				t.Fatalf("the proof: %d records, %v", len(wires), err)
			}
		})
		t.Run("a link that does not hold", func(t *testing.T) {
			db := open(t, empty(t))
			rows, other := chain(logA1, "a", 8), chain(logA1, "b", 8)
			appendAll(t, db, rows[:4])
			appendAll(t, db, other[4:6])
			if head := onlyHead(t, db); !head.Forked || head.Seq != 6 {
				t.Fatalf("head %+v", head)
			}
		})
		t.Run("in any order, one end", func(t *testing.T) {
			all := slices.Concat(chain(logA1, "a", 12), chain(logA1, "b", 15))
			var want store.Head
			for seed := range uint64(8) {
				db := open(t, empty(t))
				rand.New(rand.NewPCG(seed, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
				for part := range slices.Chunk(all, 5) {
					appendAll(t, db, part)
				}
				got := onlyHead(t, db)
				if seed == 0 {
					want = got
				}
				if got != want || !got.Forked || got.Seq != 15 || got.Records != 27 {
					t.Fatalf("seed %d: %+v, before %+v", seed, got, want)
				}
			}
		})
	})
}

func TestHeadWithin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		rows, other := chain(logA1, "a", 8), chain(logA1, "b", 8)
		appendAll(t, db, rows)
		appendAll(t, db, other[4:5])
		for _, cut := range []store.Row{rows[4], other[4]} {
			b := store.Bound{Seq: int64(cut.Seq), Hash: cut.Hash[:]}
			head, err := db.HeadWithin(t.Context(), onlyHead(t, db), b)
			if err != nil || head.Seq != 5 || head.Hash != record.LogHash(variants(rows[3], cut)) || head.Records != 5 || head.Notices != 4 || head.Held != 0 {
				t.Fatalf("%+v, %v", head, err)
			}
			wires, _, err := db.Range(t.Context(), logA1, 4, 8, b, 1000)
			if err != nil || len(wires) != 2 || !bytes.Equal(wires[1], cut.Wire) {
				t.Fatalf("%d records, %v", len(wires), err)
			}
		}
		if head, err := db.HeadWithin(t.Context(), onlyHead(t, db), store.Bound{}); err != nil || head.Seq != 0 || head.Records != 0 {
			t.Fatalf("a void log: %+v, %v", head, err)
		}
	})
}

func TestRange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		rows := chain(logA1, "a", 10) // of 3 octets each
		appendAll(t, db, rows)
		wires, next, err := db.Range(t.Context(), logA1, 3, 9, store.Unbounded, 10)
		if err != nil || next != 6 || len(wires) != 3 || !bytes.Equal(wires[0], rows[2].Wire) {
			t.Fatalf("%d wires, next %d, %v", len(wires), next, err)
		}
		wires, next, err = db.Range(t.Context(), logA1, 6, 9, store.Unbounded, 12)
		if err != nil || next != 10 || len(wires) != 4 {
			t.Fatalf("%d wires, next %d, %v", len(wires), next, err)
		}
	})
}

// variants are rows as record.LogHash sees them.
func variants(rows ...store.Row) (out []record.Variant) {
	for _, r := range rows {
		out = append(out, record.Variant{Seq: r.Seq, Hash: r.Hash, Prev: r.Prev})
	}
	slices.SortFunc(out, func(x, y record.Variant) int {
		if x.Seq != y.Seq {
			return int(x.Seq) - int(y.Seq)
		}
		return bytes.Compare(x.Hash[:], y.Hash[:])
	})
	return out
}

func onlyHead(t *testing.T, db *store.DB) store.Head {
	t.Helper()
	heads, err := db.Heads(t.Context())
	if err != nil || len(heads) != 1 {
		t.Fatalf("%d heads, %v", len(heads), err)
	}
	return heads[0]
}
