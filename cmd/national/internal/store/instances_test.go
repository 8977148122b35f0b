package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/territory"
)

// instances opens one database twice and more, all at once, when there is
// nothing in it yet.
func instances(t *testing.T, d storetest.Database, n int) []*store.DB {
	t.Helper()
	all, errs := make([]*store.DB, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { all[i], errs[i] = store.Open(t.Context(), d.At) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("instance %d: %v", i, err)
		}
		t.Cleanup(func() { all[i].Close() })
	}
	return all
}

// TestInstancesStoreOnce: three instances are handed the same two histories of a
// log, in pages of their own order, at once. Every record is stored once, and
// what the log is at the end is what one writer alone would have made of it.
func TestInstancesStoreOnce(t *testing.T) {
	all := slices.Concat(chain(logA1, "a", 60), chain(logA1, "b", 75))
	alone := open(t, storetest.SQLite(t))
	appendAll(t, alone, all)
	want := onlyHead(t, alone)

	shared := instances(t, storetest.Bare(t), 3)
	done := make([]store.Applied, len(shared))
	var wg sync.WaitGroup
	for i, db := range shared {
		rows := slices.Clone(all)
		rand.New(rand.NewPCG(uint64(i), 7)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		wg.Go(func() {
			for page := range slices.Chunk(rows, 9) {
				d, err := db.Append(t.Context(), page, now)
				if err != nil {
					t.Errorf("instance %d: %v", i, err)
					return
				}
				done[i].New += d.New
				done[i].Known += d.Known
				done[i].Forks += d.Forks
			}
		})
	}
	wg.Wait()
	var stored, forks int
	for i, d := range done {
		stored += d.New
		forks += d.Forks
		if d.New+d.Known != len(all) {
			t.Errorf("instance %d answered for %d of %d records", i, d.New+d.Known, len(all))
		}
	}
	if stored != len(all) || forks != 1 {
		t.Errorf("%d stored of %d, the fork found %d times", stored, len(all), forks)
	}
	for i, db := range shared {
		if got := onlyHead(t, db); got != want {
			t.Errorf("instance %d: %+v, one writer: %+v", i, got, want)
		}
	}
}

// TestInstancesTakeOneRoster: of two rosters of one version, one is taken; and
// none that was judged by a roster that is no longer the newest.
func TestInstancesTakeOneRoster(t *testing.T) {
	shared := instances(t, storetest.PostgreSQL(t), 2)
	first := store.Territory{Code: "demo", RootKey: "root", Version: 1, Note: []byte("one")}
	if err := shared[0].InstallRoster(t.Context(), first, now); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, db := range shared {
		wg.Go(func() {
			errs[i] = db.InstallRoster(t.Context(), store.Territory{
				Code: "demo", RootKey: "root", Version: 2, Note: []byte{byte(i)}, After: 1,
			}, now)
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), store.ErrMoved) {
		t.Errorf("%v; %v", errs[0], errs[1])
	}
	late := store.Territory{Code: "demo", RootKey: "root", Version: 3, Note: []byte("three"), After: 1}
	if err := shared[1].InstallRoster(t.Context(), late, now); !errors.Is(err, store.ErrMoved) {
		t.Errorf("judged by version 1: %v", err)
	}
	if a, err := shared[0].Admission(t.Context(), hubA); err != nil || a.Roster != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestInstancesKeepOneJournal: two states of one journal, handed to two instances at
// once, are not both kept: the second is judged by the first.
func TestInstancesKeepOneJournal(t *testing.T) {
	shared := instances(t, storetest.PostgreSQL(t), 2)
	errTaken := errors.New("taken")
	for size := int64(1); size <= 8; size++ {
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, db := range shared {
			wg.Go(func() {
				c := store.Checkpoint{Hub: hubA, Size: size, Root: [32]byte{byte(i)}, Note: []byte("n")}
				_, errs[i] = db.AddCheckpoint(t.Context(), c, func(last store.Checkpoint) (string, error) {
					if last.Size == size {
						return "", errTaken
					}
					return "", nil
				}, now)
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), errTaken) {
			t.Errorf("size %d: %v; %v", size, errs[0], errs[1])
		}
	}
}

// TestUndone: a write that the database undoes, so that another can end, is made
// again, and not for ever.
func TestUndone(t *testing.T) {
	d := storetest.PostgreSQL(t)
	db := open(t, d)
	raw := d.Raw(t)
	if _, err := raw.Exec(`
		CREATE SEQUENCE tries;
		CREATE TABLE undone (times BIGINT, code TEXT);
		INSERT INTO undone VALUES (0, '40001');
		CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('tries') <= (SELECT times FROM undone) THEN
				RAISE EXCEPTION USING ERRCODE = (SELECT code FROM undone);
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER undo BEFORE INSERT ON refusals FOR EACH ROW EXECUTE FUNCTION undo()`); err != nil {
		t.Fatal(err)
	}
	stored := 0
	for _, code := range []string{"40001", "40P01"} {
		for times, want := range map[int]bool{3: true, 4: false} {
			if _, err := raw.Exec(fmt.Sprintf(`UPDATE undone SET times = %d, code = '%s'; SELECT setval('tries', 1, false)`, times, code)); err != nil {
				t.Fatal(err)
			}
			err := db.Refused(t.Context(), hubA, map[string]int{"cut": 1}, now)
			if (err == nil) != want || err != nil && !errors.Is(err, store.ErrAway) {
				t.Errorf("%s, %d times: %v", code, times, err)
			}
			if want {
				stored++
			}
			if c, err := db.Counts(t.Context()); err != nil || c.Refused != stored {
				t.Errorf("%s, %d times: %+v, %v", code, times, c, err)
			}
		}
	}
}

func TestSightings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		see := func(hub territory.HubID, want store.Sighting) {
			t.Helper()
			want.Hub = hub
			if got, err := db.Sighting(t.Context(), hub); err != nil || got != want {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
			if a, err := db.Admission(t.Context(), hub); err != nil || !a.Seen.Equal(want.Seen) {
				t.Errorf("%+v, %v, want %v", a, err, want.Seen)
			}
		}
		see(hubA, store.Sighting{})
		later, last := now.Add(time.Minute), now.Add(time.Hour)
		for _, err := range []error{
			db.Seen(t.Context(), hubA, now), db.Compared(t.Context(), store.Sighting{Hub: hubA, Compared: later, Drift: 3, Structures: 12, Aside: 1}), db.Seen(t.Context(), hubA, last),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		see(hubA, store.Sighting{Seen: last, Compared: later, Drift: 3, Structures: 12, Aside: 1})
		see(hubB, store.Sighting{})
	})
}
