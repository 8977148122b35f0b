package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
)

// answering serves a control socket, without a hub behind it, in a folder.
func answering(t *testing.T, dataDir string, c *control) {
	t.Helper()
	l, err := listenControl(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	c.log = slog.New(slog.DiscardHandler)
	s := c.server()
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
}

func TestControl(t *testing.T) {
	dir := t.TempDir()
	refused := error(nil)
	answering(t, dir, &control{
		status:   func(context.Context) (status, error) { return status{Name: "Valbrume", Seen: 3}, nil },
		national: func(context.Context) (node.NationalPass, error) { return node.NationalPass{Up: 5}, refused },
	})
	var s status
	if err := askHub(t.Context(), dir, http.MethodGet, "/status", nil, &s); err != nil || s.Name != "Valbrume" || s.Seen != 3 {
		t.Errorf("status %+v, %v", s, err)
	}
	var p node.NationalPass
	if err := askHub(t.Context(), dir, http.MethodPost, "/national-pass", nil, &p); err != nil || p.Up != 5 {
		t.Errorf("pass %+v, %v", p, err)
	}
	for want, cause := range map[int]error{
		exitFailed: errors.New("no answer"),
		exitLocked: fault.New(fault.Locked, "Verrouillé.", nil),
		exitProof:  territory.ErrForged,
	} {
		refused = cause
		err := askHub(t.Context(), dir, http.MethodPost, "/national-pass", nil, &p)
		if err == nil || statusOf(err) != want || !strings.Contains(err.Error(), cause.Error()) {
			t.Errorf("refused for %v: %v, exit status %d, want %d", cause, err, statusOf(err), want)
		}
	}
}

func TestControlErrUnreachable(t *testing.T) {
	err := askHub(t.Context(), t.TempDir(), http.MethodGet, "/status", nil, &status{})
	if !unreachable(err) {
		t.Errorf("nobody there: %v", err)
	}
}

// A socket's address is short; a data folder need not be.
func TestControlDeepFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 40))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	answering(t, dir, &control{status: func(context.Context) (status, error) { return status{Name: "Profond"}, nil }})
	var s status
	if err := askHub(t.Context(), dir, http.MethodGet, "/status", nil, &s); err != nil || s.Name != "Profond" {
		t.Errorf("status %+v, %v", s, err)
	}
	info, err := os.Stat(filepath.Join(dir, controlName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v, %v", info.Mode(), err)
	}
}

// Who calls is what the kernel says: another user is refused, and so is a
// connection that nobody vouches for.
func TestControlErrForbidden(t *testing.T) {
	c := &control{log: slog.New(slog.DiscardHandler)}
	door := c.trusted(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for name, want := range map[string]struct {
		ctx    context.Context
		status int
	}{
		"Root":       {context.WithValue(t.Context(), peerUID{}, uint32(0)), http.StatusTeapot},
		"Ourselves":  {context.WithValue(t.Context(), peerUID{}, uint32(os.Geteuid())), http.StatusTeapot},
		"Another":    {context.WithValue(t.Context(), peerUID{}, uint32(os.Geteuid()+1)), http.StatusForbidden},
		"Unvouched":  {t.Context(), http.StatusForbidden},
		"WrongValue": {context.WithValue(t.Context(), peerUID{}, "0"), http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			door.ServeHTTP(w, httptest.NewRequestWithContext(want.ctx, http.MethodPost, "/checkpoint", nil))
			if w.Code != want.status {
				t.Errorf("status %d, want %d", w.Code, want.status)
			}
		})
	}
}

func TestCallerOf(t *testing.T) {
	dir := t.TempDir()
	l, err := listenControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := net.Dial("unix", filepath.Join(dir, controlName)); err == nil {
			defer c.Close()
			c.Read(make([]byte, 1))
		}
	}()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if uid, err := callerOf(conn); err != nil || uid != uint32(os.Geteuid()) {
		t.Errorf("the caller is %d (%v), not %d", uid, err, os.Geteuid())
	}
}
