package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
)

func TestReopen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		d := empty(t)
		db := open(t, d)
		appendAll(t, db, chain(logA1, "a", 8))
		look := func(t *testing.T) {
			look, err := store.OpenReadOnly(t.Context(), d.At)
			if err != nil {
				t.Fatal(err)
			}
			defer look.Close()
			if c, err := look.Counts(t.Context()); err != nil || c.Records != 8 || c.Notices != 6 || c.Revocations != 2 {
				t.Fatalf("counts %+v, %v", c, err)
			}
		}
		t.Run("a look beside the running service", look)
		t.Run("everything is there after a restart", func(t *testing.T) {
			db.Close()
			if head := onlyHead(t, open(t, d)); head.Seq != 8 {
				t.Fatalf("head %+v", head)
			}
		})
		t.Run("a look after the service stopped", look)
	})
}

func TestErrLocked(t *testing.T) {
	d := storetest.SQLite(t)
	open(t, d)
	if _, err := store.Open(t.Context(), d.At); !errors.Is(err, store.ErrLocked) {
		t.Fatalf("a second process: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	type opener func(store.At) error
	opens := func(at store.At) error {
		db, err := store.Open(t.Context(), at)
		if err == nil {
			db.Close()
		}
		return err
	}
	looks := func(at store.At) error {
		db, err := store.OpenReadOnly(t.Context(), at)
		if err == nil {
			db.Close()
		}
		return err
	}
	bare := map[string]storetest.Empty{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Bare}
	newer := map[string]string{
		"SQLite":     `PRAGMA user_version = 99`,
		"PostgreSQL": `UPDATE schema_version SET version = 99`,
	}
	older := map[string]string{
		"SQLite":     `DROP TABLE structures; DROP TABLE list; ALTER TABLE sightings DROP COLUMN structures; ALTER TABLE sightings DROP COLUMN aside; PRAGMA user_version = 3`,
		"PostgreSQL": `DROP TABLE structures; DROP TABLE list; ALTER TABLE sightings DROP COLUMN structures; ALTER TABLE sightings DROP COLUMN aside; UPDATE schema_version SET version = 3`,
	}
	storetest.Each(t, func(t *testing.T, empty storetest.Empty) {
		t.Run("ErrNotOur", func(t *testing.T) {
			d := bare[empty(t).Kind](t)
			if _, err := d.Raw(t).Exec(`CREATE TABLE x (a INTEGER)`); err != nil {
				t.Fatal(err)
			}
			for _, f := range []opener{opens, looks} {
				if err := f(d.At); !errors.Is(err, store.ErrNotOur) {
					t.Error(err)
				}
			}
		})
		d := empty(t)
		db := open(t, d)
		appendAll(t, db, chain(logA1, "a", 3))
		db.Close()
		t.Run("ErrBehind, until the service has run", func(t *testing.T) {
			if _, err := d.Raw(t).Exec(older[d.Kind]); err != nil {
				t.Fatal(err)
			}
			if err := looks(d.At); !errors.Is(err, store.ErrBehind) {
				t.Error(err)
			}
			db := open(t, d)
			if l, err := db.List(t.Context()); err != nil || l.Head != 0 {
				t.Errorf("%+v, %v", l, err)
			}
			if head := onlyHead(t, db); head.Seq != 3 {
				t.Errorf("%+v", head)
			}
			db.Close()
			if err := looks(d.At); err != nil {
				t.Error(err)
			}
		})
		t.Run("ErrNewer", func(t *testing.T) {
			if _, err := d.Raw(t).Exec(newer[d.Kind]); err != nil {
				t.Fatal(err)
			}
			for _, f := range []opener{opens, looks} {
				if err := f(d.At); !errors.Is(err, store.ErrNewer) {
					t.Error(err)
				}
			}
		})
	})
	t.Run("an empty folder, for a look", func(t *testing.T) {
		if err := looks(storetest.SQLite(t).At); !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	})
	t.Run("an empty database, for a look", func(t *testing.T) {
		if err := looks(storetest.Bare(t).At); !errors.Is(err, store.ErrNotOur) {
			t.Fatal(err)
		}
	})
	t.Run("a folder with a space and a question mark opens", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a folder? #1")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := opens(store.At{Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "national.db")); err != nil {
			t.Fatal(err)
		}
	})
}
