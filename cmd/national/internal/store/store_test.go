package store_test

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/record"
	"relais/node/territory"
)

var (
	now   = time.UnixMilli(1_793_836_800_000).UTC()
	hubA  = territory.HubID{1}
	hubB  = territory.HubID{2}
	logA1 = record.LogID{Hub: hubA, Incarnation: 1}
)

func TestMain(m *testing.M) { storetest.Main(m) }

func open(t *testing.T, d storetest.Database) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), d.At)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// chain makes n linked rows of one log; branch tells two histories apart.
func chain(log record.LogID, branch string, n int) []store.Row {
	rows := make([]store.Row, n)
	var head record.Hash
	for i := range rows {
		wire := append([]byte(branch), byte(i>>8), byte(i))
		r := store.Row{
			Place: record.Place{LogID: log, Seq: uint32(i + 1)},
			Kind:  record.KindNotice,
			Hash:  sha256.Sum256(append(head[:], wire...)),
			Wire:  wire,
		}
		if i%4 == 3 {
			r.Kind = record.KindRevocation
		}
		copy(r.Prev[:], head[:])
		head, rows[i] = r.Hash, r
	}
	return rows
}

func appendAll(t *testing.T, db *store.DB, rows []store.Row) store.Applied {
	t.Helper()
	done, err := db.Append(t.Context(), rows, now)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestInstallRoster(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		if _, err := db.Territory(t.Context()); !errors.Is(err, store.ErrNoTerritory) {
			t.Fatalf("before the first: %v", err)
		}
		second := store.Territory{Code: "demo", RootKey: "root", Version: 2, Note: []byte("two")}
		for range 2 { // the same one again is no error
			if err := db.InstallRoster(t.Context(), second, now); err != nil {
				t.Fatal(err)
			}
		}
		for name, bad := range map[string]struct {
			store.Territory
			want error
		}{
			"ErrOlder":                      {store.Territory{Code: "demo", RootKey: "root", Version: 1, Note: []byte("one")}, store.ErrOlder},
			"ErrTwin":                       {store.Territory{Code: "demo", RootKey: "root", Version: 2, Note: []byte("TWO")}, store.ErrTwin},
			"ErrOther territory":            {store.Territory{Code: "974", RootKey: "root", Version: 3, Note: []byte("three")}, store.ErrOther},
			"ErrOther announced by another": {store.Territory{Code: "demo", RootKey: "r00t", Announced: "other", Version: 3, Note: []byte("three")}, store.ErrOther},
			"ErrTwin of the next root":      {store.Territory{Code: "demo", RootKey: "r00t", Announced: "root", Version: 2, Note: []byte("TWO")}, store.ErrTwin},
			"ErrOther for another key":      {store.Territory{Code: "demo", RootKey: "r00t", Version: 3, Note: []byte("three")}, store.ErrOther},
		} {
			t.Run(name, func(t *testing.T) {
				if err := db.InstallRoster(t.Context(), bad.Territory, now); !errors.Is(err, bad.want) {
					t.Fatalf("got %v, want %v", err, bad.want)
				}
				if got, err := db.Territory(t.Context()); err != nil || got.Version != 2 || string(got.Note) != "two" {
					t.Fatalf("now holds %+v, %v", got, err)
				}
			})
		}
	})
}

// TestRotation: the announced root takes the place of the one that announced it,
// with its roster.
func TestRotation(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		for _, next := range []store.Territory{
			{Code: "demo", RootKey: "root", Version: 1, Note: []byte("one")},
			{Code: "demo", RootKey: "r00t", Announced: "root", Version: 2, Note: []byte("two")},
		} {
			if err := db.InstallRoster(t.Context(), next, now); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := db.Territory(t.Context()); err != nil || got.RootKey != "r00t" || got.Version != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		old := store.Territory{Code: "demo", RootKey: "root", Version: 3, Note: []byte("three")}
		if err := db.InstallRoster(t.Context(), old, now); !errors.Is(err, store.ErrOther) {
			t.Errorf("the old root: %v", err)
		}
	})
}

// TestCheckpoints: what judge refuses changes nothing, what it takes is kept with
// what it says, and it is asked with the newest.
func TestCheckpoints(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		errRefused := errors.New("refused")
		add := func(size int64, says string, refused error) (last int64, said string, err error) {
			c := store.Checkpoint{Hub: hubA, Size: size, Root: [32]byte{byte(size)}, Note: []byte("n")}
			said, err = db.AddCheckpoint(t.Context(), c, func(l store.Checkpoint) (string, error) { last = l.Size; return says, refused }, now)
			return last, said, err
		}
		for i, step := range []struct {
			size    int64
			says    string
			refused error
			last    int64
		}{{5, "seen", nil, 0}, {5, "seen", nil, 5}, {9, "", nil, 5}, {8, "", errRefused, 9}, {9, "seen later", nil, 9}} {
			last, said, err := add(step.size, step.says, step.refused)
			if last != step.last || !errors.Is(err, step.refused) || err == nil && said != step.says {
				t.Errorf("step %d: after %d, says %q, %v", i, last, said, err)
			}
		}
		got, err := db.LastCheckpoint(t.Context(), hubA)
		if err != nil || got.Size != 9 || got.Root != [32]byte{9} || got.Cosignature != "seen later" {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := db.LastCheckpoint(t.Context(), hubB); err != nil || got.Size != 0 || got.Note != nil {
			t.Errorf("of a hub that never sent one: %+v, %v", got, err)
		}
		for size, want := range map[int64]bool{5: true, 9: true, 8: false} {
			if saw, err := db.SawCheckpoint(t.Context(), store.Checkpoint{Hub: hubA, Size: size, Root: [32]byte{byte(size)}}); err != nil || saw != want {
				t.Errorf("saw %d: %v, %v", size, saw, err)
			}
		}
	})
}

// TestContradiction: it stands until a checkpoint is kept again.
func TestContradiction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		stands := func() store.Contradiction {
			c, err := db.Contradiction(t.Context(), hubA)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		keep := func(size int64, at time.Time) {
			c := store.Checkpoint{Hub: hubA, Size: size, Note: []byte("n")}
			if _, err := db.AddCheckpoint(t.Context(), c, func(store.Checkpoint) (string, error) { return "", nil }, at); err != nil {
				t.Fatal(err)
			}
		}
		keep(5, now)
		if c := stands(); !c.Last.IsZero() {
			t.Errorf("%+v", c)
		}
		for i := range 2 {
			c := store.Checkpoint{Hub: hubA, Size: 7, Note: []byte("other")}
			if err := db.Contradicted(t.Context(), c, 5, now.Add(time.Duration(i+1)*time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if c := stands(); c.Held != 5 || c.Size != 7 || !c.Last.Equal(now.Add(2*time.Minute)) {
			t.Errorf("%+v", c)
		}
		keep(8, now.Add(time.Hour))
		if c := stands(); !c.Last.IsZero() {
			t.Errorf("after it was put right: %+v", c)
		}
	})
}

func TestRefusedAddsUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		for range 2 {
			if err := db.Refused(t.Context(), hubA, map[string]int{"signature": 2, "cut": 1}, now); err != nil {
				t.Fatal(err)
			}
		}
		if c, err := db.Counts(t.Context()); err != nil || c.Refused != 6 {
			t.Fatalf("counts %+v, %v", c, err)
		}
	})
}
