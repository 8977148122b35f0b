package store_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"relais/cmd/national/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

var (
	now   = time.UnixMilli(1_793_836_800_000).UTC()
	hubA  = territory.HubID{1}
	hubB  = territory.HubID{2}
	logA1 = record.LogID{Hub: hubA, Incarnation: 1}
)

func open(t *testing.T) (*store.DB, string) {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, dir
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

func TestDurability(t *testing.T) {
	db, dir := open(t)
	appendAll(t, db, chain(logA1, "a", 8))

	t.Run("ErrLocked for a second process", func(t *testing.T) {
		if _, err := store.Open(t.Context(), dir); !errors.Is(err, store.ErrLocked) {
			t.Fatalf("second Open: %v", err)
		}
	})
	t.Run("a look beside the running service", func(t *testing.T) {
		look, err := store.OpenReadOnly(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer look.Close()
		if c, err := look.Counts(t.Context()); err != nil || c.Records != 8 || c.Notices != 6 || c.Revocations != 2 {
			t.Fatalf("counts %+v, %v", c, err)
		}
	})
	t.Run("everything is there after a restart", func(t *testing.T) {
		db.Close()
		again, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if heads, err := again.Heads(t.Context()); err != nil || len(heads) != 1 || heads[0].Seq != 8 {
			t.Fatalf("heads %+v, %v", heads, err)
		}
	})
	t.Run("a look after the service stopped", func(t *testing.T) {
		look, err := store.OpenReadOnly(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer look.Close()
		if c, err := look.Counts(t.Context()); err != nil || c.Records != 8 {
			t.Fatalf("counts %+v, %v", c, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	raw := func(t *testing.T, statement string) string {
		dir := t.TempDir()
		db, err := sql.Open("sqlite3", filepath.Join(dir, "national.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Run("ErrNewer", func(t *testing.T) {
		dir := raw(t, `CREATE TABLE x (a); PRAGMA user_version = 99`)
		if _, err := store.Open(t.Context(), dir); !errors.Is(err, store.ErrNewer) {
			t.Fatal(err)
		}
	})
	t.Run("ErrNotOur", func(t *testing.T) {
		dir := raw(t, `CREATE TABLE x (a)`)
		if _, err := store.Open(t.Context(), dir); !errors.Is(err, store.ErrNotOur) {
			t.Fatal(err)
		}
	})
	t.Run("an empty folder, for a look", func(t *testing.T) {
		if _, err := store.OpenReadOnly(t.Context(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	})
	t.Run("a folder with a space and a question mark opens", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a folder? #1")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		if _, err := os.Stat(filepath.Join(dir, "national.db")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestInstallRoster(t *testing.T) {
	db, _ := open(t)
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
}

// TestRotation: the announced root takes the place of the one that announced it,
// with its roster.
func TestRotation(t *testing.T) {
	db, _ := open(t)
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
}

func TestCheckpoints(t *testing.T) {
	db, _ := open(t)
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
}

func TestRefusedAddsUp(t *testing.T) {
	db, _ := open(t)
	for range 2 {
		if err := db.Refused(t.Context(), hubA, map[string]int{"signature": 2, "cut": 1}, now); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := db.Counts(t.Context()); err != nil || c.Refused != 6 {
		t.Fatalf("counts %+v, %v", c, err)
	}
}

// The schema states a second time what the code promises.
func TestSchemaRefuses(t *testing.T) {
	_, dir := open(t)
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "national.db")+"?_foreign_keys=on")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`INSERT INTO records VALUES (7, 1, zeroblob(32), zeroblob(16), 1, x'00', 1)`,
		`INSERT INTO logs (hub, incarnation) VALUES (zeroblob(15), 1)`,
		`INSERT INTO checkpoints VALUES (zeroblob(16), -1, zeroblob(32), x'', 1)`,
		`INSERT INTO territory VALUES (2, 'demo', 'k')`,
	} {
		if _, err := db.Exec(statement); err == nil || !strings.Contains(err.Error(), "constraint") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}
