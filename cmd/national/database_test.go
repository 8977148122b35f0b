package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"relais/cmd/national/internal/store/storetest"
	"relais/node/territory"
)

// TestDSNIsSecret: wherever a DSN is given, and whatever is wrong with it, no
// part of it is printed.
func TestDSNIsSecret(t *testing.T) {
	const planted = "motdepasse-plante"
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	wrong := storetest.Server(t).DSN("gardienne", "postgres") + " password=" + planted + "x"
	for name, tt := range map[string]struct {
		file, says string
	}{
		"given in the place of its file": {"postgres://gardienne:" + planted + "@127.0.0.1/relais", "no such file"},
		"none":                           {file("none", planted), "no DSN of PostgreSQL"},
		"over an open line":              {file("open", "postgres://gardienne:"+planted+"@base.example/relais"), "sslmode=verify-full"},
		"a wrong password":               {file("wrong", wrong), "refuses the user or the password"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{"init", "--url", "https://127.0.0.1:1"}, {"status"}} {
				var stdout, stderr bytes.Buffer
				code := run(t.Context(), slices.Concat(args, []string{"--data", filepath.Join(dir, "data"), "--dsn-file", tt.file}), &stdout, &stderr)
				said := stdout.String() + stderr.String()
				if code != exitFailed || !strings.Contains(said, tt.says) {
					t.Errorf("exit code %d: %s", code, said)
				}
				if strings.Contains(said, planted) || strings.Contains(said, "gardienne") {
					t.Errorf("printed: %s", said)
				}
			}
		})
	}
	t.Run("handed over by systemd", func(t *testing.T) {
		d := &demo{dir: t.TempDir()}
		check(t, os.WriteFile(filepath.Join(d.dir, dsnCredential), []byte(storetest.PostgreSQL(t).DSN), 0o440))
		t.Setenv("CREDENTIALS_DIRECTORY", d.dir)
		d.command(t, exitOK, "init", "--data", d.data(), "--url", "https://127.0.0.1:1")
		if _, err := os.Stat(filepath.Join(d.data(), "national.db")); err == nil {
			t.Error("a SQLite file was made all the same")
		}
		var stdout, stderr bytes.Buffer
		if run(t.Context(), []string{"status", "--data", d.data()}, &stdout, &stderr); !strings.Contains(stderr.String(), "no roster is installed") {
			t.Errorf("status does not find the database: %s", &stderr)
		}
	})
}

// TestInstancesBehindOneAddress: hubs call one address, and each connection goes
// to the next of two processes. What one was told the other knows.
func TestInstancesBehindOneAddress(t *testing.T) {
	d := newDemo(t, storetest.PostgreSQL(t), 2)
	one := d.service
	d.serve(t)
	two := d.service
	var calls atomic.Uint32
	d.service = "https://" + inTurn(t, &calls, strings.TrimPrefix(one, "https://"), strings.TrimPrefix(two, "https://"))

	a, b := d.hubs[0], d.hubs[1]
	a.take(t, d.author.write(t, 40))
	if r := a.mustPass(t); r.Up != 40 || r.Drift != 0 {
		t.Errorf("up from a: %+v", r)
	}
	if r := b.mustPass(t); r.Down != 40 || r.Drift != 0 {
		t.Errorf("down to b: %+v", r)
	}
	check(t, a.InstallRoster(t.Context(), d.next(t, func(r *territory.Roster) { r.Name = "Autre nom" })))
	for range 2 {
		for name, h := range map[string]*hub{"a": a, "b": b} {
			if r := h.mustPass(t); r.Drift != 0 || r.Refused+r.RefusedThere != 0 {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if r := b.mustPass(t); r.Requests > 2 || b.Roster().Version != 2 {
		t.Errorf("b: %+v, roster %d", r, b.Roster().Version)
	}
	s := d.status(t)
	if s.Records != 40 || s.Roster != 2 || s.Refused != 0 || calls.Load() < 7 {
		t.Errorf("after %d connections: %+v", calls.Load(), s)
	}
	for _, h := range s.Hubs[:2] {
		if h.Seen.IsZero() || h.Compared.IsZero() || h.Drift != 0 || h.Checkpoint == 0 {
			t.Errorf("%+v", h)
		}
	}
}

// inTurn listens, and passes each connection to the next of the addresses.
func inTurn(t *testing.T, calls *atomic.Uint32, to ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // closed at the end of the test
			}
			far, err := net.Dial("tcp", to[int(calls.Add(1))%len(to)])
			if err != nil {
				near.Close()
				continue
			}
			go func() { io.Copy(far, near); far.Close() }()
			go func() { io.Copy(near, far); near.Close() }()
		}
	}()
	return l.Addr().String()
}
