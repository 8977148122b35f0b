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

func TestCheckpoints(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		db := open(t, empty(t))
		put := func(size int64, root byte) error {
			return db.PutCheckpoint(t.Context(), store.Checkpoint{Hub: hubA, Size: size, Root: [32]byte{root}, Note: []byte("n")}, now)
		}
		for _, err := range []error{put(5, 1), put(5, 1), put(9, 2)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := put(8, 3); !errors.Is(err, store.ErrShrinks) {
			t.Errorf("a shrinking journal: %v", err)
		}
		if err := put(9, 3); !errors.Is(err, store.ErrForked) {
			t.Errorf("another root: %v", err)
		}
		if size, err := db.CheckpointSize(t.Context(), hubA); err != nil || size != 9 {
			t.Errorf("size %d, %v", size, err)
		}
		if size, err := db.CheckpointSize(t.Context(), hubB); err != nil || size != 0 {
			t.Errorf("size of a hub that never sent one: %d, %v", size, err)
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
