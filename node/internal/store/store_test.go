package store_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"relais/node/internal/store"
	"relais/node/journal"
)

// TestMain lets this binary be the other process of a test: one that holds the
// folder, is killed, or runs under strace.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	os.Exit(m.Run())
}

// open opens a new store in a folder of the test's own.
func open(t testing.TB) (*store.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "relais.db")
	return reopen(t, path, store.Options{Create: true}), path
}

func reopen(t testing.TB, path string, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// note appends an entry that says nothing much.
func note(tx *store.Tx) error {
	_, err := tx.AppendJournal(store.JournalRow{At: tx.Now, Kind: journal.KindControl, Actor: "machine"})
	return err
}

// person adds a row to a table of the domain.
func person(tx *store.Tx, first byte) error {
	return tx.PutPersonKey([16]byte{first}, []byte("wrapped"))
}

func count(t testing.TB, db *store.DB, table string) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(r *store.Reader) error {
		return r.QueryRow("SELECT count(*) FROM " + table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpen(t *testing.T) {
	t.Run("ErrNoDatabase", func(t *testing.T) {
		_, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "relais.db"), store.Options{})
		if !errors.Is(err, store.ErrNoDatabase) {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("ErrNotDurable", func(t *testing.T) {
		for _, mode := range []string{"NORMAL", "OFF"} {
			path := filepath.Join(t.TempDir(), "relais.db")
			_, err := store.Open(t.Context(), path, store.Options{Create: true}.WithSynchronous(mode).Demanding())
			if !errors.Is(err, store.ErrNotDurable) {
				t.Errorf("%s: got %v", mode, err)
			}
		}
	})
	t.Run("ErrNewerSchema", func(t *testing.T) {
		db, path := open(t)
		db.Close()
		raw, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Exec("PRAGMA user_version = 9999"); err != nil {
			t.Fatal(err)
		}
		raw.Close()
		_, err = store.Open(t.Context(), path, store.Options{})
		if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "no snapshot") {
			t.Fatalf("got %v", err)
		}
		numbers, _ := store.Migrations()
		snapshot := filepath.Join(filepath.Dir(path), "snapshots", "schema-000"+string(rune('0'+numbers[len(numbers)-1]))+".db")
		if err := errors.Join(os.Mkdir(filepath.Dir(snapshot), 0o700), os.WriteFile(snapshot, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err = store.Open(t.Context(), path, store.Options{}); !strings.Contains(err.Error(), snapshot) {
			t.Fatalf("the snapshot is not named: %v", err)
		}
	})
	t.Run("ErrInUse", func(t *testing.T) {
		_, path := open(t)
		out, err := childCommand(t, "open", path).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "in use by process") {
			t.Fatalf("the second process said %q, %v", out, err)
		}
	})
	t.Run("owner only", func(t *testing.T) {
		db, path := open(t)
		if err := db.Write(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s is %v", filepath.Base(name), info.Mode())
			}
		}
	})
	t.Run("odd path", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "l'été 100% ? #1")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		db := reopen(t, filepath.Join(dir, "relais.db"), store.Options{Create: true})
		if err := db.Write(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "relais.db-wal")); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReaderCannotWrite(t *testing.T) {
	db, _ := open(t)
	err := db.Read(t.Context(), func(r *store.Reader) error {
		rows, err := r.Query("DELETE FROM jobs RETURNING name")
		if err == nil {
			rows.Close()
		}
		return err
	})
	if err == nil {
		t.Fatal("the read pool wrote")
	}
}

func TestReadIsOneSnapshot(t *testing.T) {
	db, _ := open(t)
	size := func(r *store.Reader) (n int) {
		if err := r.QueryRow("SELECT count(*) FROM journal").Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	err := db.Read(t.Context(), func(r *store.Reader) error {
		before := size(r)
		done := make(chan error)
		go func() { done <- db.Write(t.Context(), note) }()
		if err := <-done; err != nil {
			return err
		}
		if after := size(r); after != before {
			t.Errorf("%d then %d entries in one snapshot", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "journal"); n != 1 {
		t.Fatalf("%d entries afterwards", n)
	}
}

func TestMigrate(t *testing.T) {
	files := func(texts ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for i, text := range texts {
			m["migrations/900"+string(rune('1'+i))+"_test.sql"] = &fstest.MapFile{Data: []byte(text)}
		}
		return m
	}
	t.Run("snapshot before each", func(t *testing.T) {
		db, path := open(t)
		if err := db.Write(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(t.Context(), files("CREATE TABLE a (x INTEGER) STRICT", "DROP TABLE a")); err != nil {
			t.Fatal(err)
		}
		raw, err := sql.Open("sqlite3", filepath.Join(filepath.Dir(path), "snapshots", "schema-9001.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		var tables, version int
		if err := raw.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = 'a'").Scan(&tables); err != nil {
			t.Fatal(err)
		}
		if err := raw.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
			t.Fatal(err)
		}
		if tables != 1 || version != 9001 {
			t.Errorf("snapshot: %d tables, schema %d", tables, version)
		}
	})
	t.Run("failed half-way", func(t *testing.T) {
		db, _ := open(t)
		err := db.Migrate(t.Context(), files("CREATE TABLE a (x INTEGER) STRICT; CREATE TABLE a (y INTEGER) STRICT"))
		if err == nil || !strings.Contains(err.Error(), "9001_test.sql") {
			t.Fatalf("got %v", err)
		}
		if n := count(t, db, "sqlite_master WHERE name = 'a'"); n != 0 {
			t.Error("half of a migration stayed")
		}
	})
	t.Run("nothing to go back to", func(t *testing.T) {
		_, path := open(t)
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "snapshots")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a new database has snapshots: %v", err)
		}
	})
	t.Run("no number", func(t *testing.T) {
		db, _ := open(t)
		err := db.Migrate(t.Context(), fstest.MapFS{"migrations/first.sql": &fstest.MapFile{}})
		if err == nil {
			t.Fatal("a migration without a number ran")
		}
	})
}
