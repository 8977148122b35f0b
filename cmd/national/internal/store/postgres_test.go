package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/fault"
)

// TestCrash: what was acknowledged outlives a server that ends without writing
// what it still holds. The twin does not wait for the disk, and loses it. A
// server that waits for no disk at all is refused.
func TestCrash(t *testing.T) {
	d := storetest.PostgreSQL(t)
	db := open(t, d)
	if _, err := d.Raw(t).Exec(`CREATE TABLE twin (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	appendAll(t, db, chain(logA1, "a", 8))
	hasty := storetest.In(t, d.DSN+" options='-c synchronous_commit=off'").Raw(t)
	if _, err := hasty.Exec(`INSERT INTO twin VALUES (1)`); err != nil {
		t.Fatal(err)
	}
	server := storetest.Server(t)
	if err := errors.Join(server.Crash(), server.Start("fsync=off")); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), d.At); !errors.Is(err, store.ErrPowerCut) {
		t.Errorf("a server with fsync off: %v", err)
	}
	if err := errors.Join(server.Stop(), server.Start()); err != nil {
		t.Fatal(err)
	}
	if head := onlyHead(t, open(t, d)); head.Seq != 8 {
		t.Errorf("after the crash: %+v", head)
	}
	var kept int
	if err := d.Raw(t).QueryRow(`SELECT count(*) FROM twin`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("the twin kept %d rows, %v: this crash proves nothing", kept, err)
	}
}

// TestAway: without its server every call says so, as a fault that is mended by
// waiting, and says nothing of the DSN; the same DB goes on afterwards.
func TestAway(t *testing.T) {
	d := storetest.PostgreSQL(t)
	db := open(t, d)
	appendAll(t, db, chain(logA1, "a", 3))
	server := storetest.Server(t)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	away := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrAway) || !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
		reveals(t, d.DSN, what, err)
	}
	_, err := db.Heads(t.Context())
	away("a connection that stood", err)
	_, err = db.Heads(t.Context())
	away("a new connection", err)
	_, err = db.Append(t.Context(), chain(logA1, "a", 4), now)
	away("a write", err)
	_, err = store.Open(t.Context(), d.At)
	away("Open", err)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if done := appendAll(t, db, chain(logA1, "a", 4)); done.Known != 3 || done.New != 1 {
		t.Errorf("%+v", done)
	}
}

// reveals fails when an error shows any of a DSN.
func reveals(t *testing.T, dsn, what string, err error) {
	t.Helper()
	for said := range strings.FieldsSeq(dsn) {
		_, secret, _ := strings.Cut(said, "=")
		if secret != "postgres" && strings.Contains(fmt.Sprint(err), secret) { // a word that names the software too
			t.Errorf("%s reveals %s: %v", what, said, err)
		}
	}
}

func TestServerRefuses(t *testing.T) {
	server := storetest.Server(t)
	for name, tt := range map[string]struct {
		dsn  string
		want error
	}{
		"a wrong password": {server.DSN("gardienne", "postgres") + " password=motdepasse-plante", store.ErrAway},
		"an unknown user":  {server.DSN("inconnue-plantee", "postgres"), store.ErrAway},
		"no such database": {server.DSN("postgres", "base-plantee"), store.ErrAway},
		"no such socket":   {"host=/nulle/part-plantee dbname=postgres user=postgres", store.ErrAway},
		"no such schema":   {server.DSN("postgres", "postgres") + " search_path=schema_plante", store.ErrAway},
		"nobody there":     {"postgres://une:motdepasse-plante@127.0.0.1:9/postgres", store.ErrAway},
		"no such server":   {"postgres://une:motdepasse-plante@nulle-part.invalid/postgres?sslmode=verify-full", store.ErrAway},
		"WAL in memory":    {storetest.PostgreSQL(t).DSN + " options='-c synchronous_commit=off'", store.ErrPowerCut},
		"another encoding": {storetest.PostgreSQLWith(t, "TEMPLATE template0 ENCODING 'LATIN1'").DSN, store.ErrEncoding},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Open(t.Context(), storetest.In(t, tt.dsn).At)
			if !errors.Is(err, tt.want) {
				t.Errorf("Open: %v", err)
			}
			if text := fmt.Sprint(err); strings.Contains(text, "plant") || strings.Contains(text, "/nulle") || strings.Contains(text, "127.0.0.1") {
				t.Errorf("reveals some of the DSN: %v", err)
			}
			t.Log(err)
		})
	}
}

func TestDSN(t *testing.T) {
	const planted = "motdepasse-plante"
	t.Run("says nothing of itself", func(t *testing.T) {
		dsn, err := store.ParseDSN("postgres://gardienne:" + planted + "@127.0.0.1/base")
		if err != nil {
			t.Fatal(err)
		}
		at := store.At{DSN: dsn}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("open", "at", at, "dsn", dsn)
		said := fmt.Sprintf("%v %+v %#v %s %q %v %s", dsn, dsn, dsn, at, at, &at, &log)
		if strings.Contains(said, planted) || strings.Contains(said, "gardienne") {
			t.Error(said)
		}
	})
	for name, tt := range map[string]struct {
		dsn  string
		want error
	}{
		"nothing":              {" \n", store.ErrDSN},
		"something else":       {"motdepasse-plante", store.ErrDSN},
		"a bad port":           {"postgres://une:motdepasse-plante@127.0.0.1:port/base", store.ErrDSN},
		"a line nobody proves": {"postgres://une:motdepasse-plante@base.example/relais", store.ErrOpenLine},
		"TLS nobody proves":    {"postgres://une:motdepasse-plante@base.example/relais?sslmode=require", store.ErrOpenLine},
		"one host of two":      {"postgres://une:motdepasse-plante@127.0.0.1,base.example/relais?sslmode=disable", store.ErrOpenLine},
		"proved":               {"postgres://une:motdepasse-plante@base.example/relais?sslmode=verify-full", nil},
		"this machine":         {"host=/run/postgresql dbname=relais", nil},
		"a file's last line":   {"postgres://une@localhost/relais\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.ParseDSN(tt.dsn)
			if !errors.Is(err, tt.want) || strings.Contains(fmt.Sprint(err), "plante") {
				t.Error(err)
			}
		})
	}
	t.Run("from a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), planted)
		if _, err := store.ReadDSN(file); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), planted) {
			t.Errorf("no file: %v", err)
		}
		for mode, want := range map[os.FileMode]error{0o604: store.ErrDSNReaders, 0o640: nil} {
			if err := errors.Join(os.WriteFile(file, []byte("host=/run/postgresql"), 0o600), os.Chmod(file, mode)); err != nil {
				t.Fatal(err)
			}
			if _, err := store.ReadDSN(file); !errors.Is(err, want) {
				t.Errorf("mode %v: %v", mode, err)
			}
		}
		if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, bytes.Repeat([]byte(" "), 5000), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := store.ReadDSN(file); !errors.Is(err, store.ErrDSN) {
			t.Errorf("a file of 5,000 octets: %v", err)
		}
	})
}
