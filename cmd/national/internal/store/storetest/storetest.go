// Package storetest gives each test a database of its own, of both kinds, as
// httptest gives servers: a SQLite file, and a database of a PostgreSQL cluster
// that the test binary starts when it first needs one. There is no test without
// PostgreSQL: where it is missing, the test fails and says what to install.
package storetest

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"relais/cmd/national/internal/store"
)

// Database is one that nobody else uses.
type Database struct {
	Kind string // SQLite or PostgreSQL
	At   store.At
	DSN  string // what a file would hold; "" of SQLite

	touched *atomic.Bool // by something else than the store
}

// Main runs the tests of one package, then ends the cluster if they started it.
func Main(m *testing.M) {
	code := m.Run()
	if shared.cluster != nil {
		if err := shared.cluster.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Empty makes an empty database.
type Empty func(testing.TB) Database

// Each runs a test on each kind of database.
func Each(t *testing.T, test func(*testing.T, Empty)) {
	t.Run("SQLite", func(t *testing.T) { test(t, SQLite) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, PostgreSQL) })
}

// SQLite is a file that is not there yet.
func SQLite(t testing.TB) Database {
	return Database{Kind: "SQLite", At: store.At{Dir: t.TempDir()}}
}

// PostgreSQL is an empty schema of the cluster's one database: a database of its
// own would cost each test 0.2 s of processor. It may have its tables already,
// from a test that is over and that looked at them by the store alone.
func PostgreSQL(t testing.TB) Database {
	t.Helper()
	c := Server(t)
	name := c.emptied()
	if name == "" {
		return Bare(t)
	}
	return c.schema(t, name)
}

// Bare is a schema that the store never opened.
func Bare(t testing.TB) Database {
	t.Helper()
	c := Server(t)
	name := c.unused()
	if _, err := c.admin.Exec("CREATE SCHEMA " + name); err != nil {
		t.Fatal(err)
	}
	return c.schema(t, name)
}

func (c *Cluster) schema(t testing.TB, name string) Database {
	d := In(t, c.DSN("postgres", "postgres")+" search_path="+name)
	d.touched = new(atomic.Bool)
	t.Cleanup(func() { // after the test has closed its own
		if !d.touched.Load() {
			c.giveBack(name)
		}
	})
	return d
}

// PostgreSQLWith is a database of its own, made with options of CREATE DATABASE.
func PostgreSQLWith(t testing.TB, options string) Database {
	t.Helper()
	c := Server(t)
	name := c.unused()
	if _, err := c.admin.Exec("CREATE DATABASE " + name + " " + options); err != nil {
		t.Fatal(err)
	}
	return In(t, c.DSN("postgres", name))
}

// In is the PostgreSQL database of a DSN.
func In(t testing.TB, text string) Database {
	t.Helper()
	dsn, err := store.ParseDSN(text)
	if err != nil {
		t.Fatal(err)
	}
	return Database{Kind: "PostgreSQL", At: store.At{DSN: dsn}, DSN: text}
}

// Server is the cluster, for tests that end it; they start it again.
func Server(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = newCluster()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// Raw opens the database beside the store.
func (d Database) Raw(t testing.TB) *sql.DB {
	t.Helper()
	if d.touched != nil {
		d.touched.Store(true)
	}
	driver, name := "pgx", d.DSN
	if name == "" {
		driver, name = "sqlite3", "file:"+filepath.Join(d.At.Dir, "national.db")+"?_foreign_keys=on"
	}
	db := openRaw(driver, name)
	t.Cleanup(func() { db.Close() })
	return db
}
