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
	"syscall"
	"testing"
	"time"

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
		note:     func(context.Context, string) error { return nil },
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

// A hub that is busy, or that ends in the middle, still holds its folder: whoever
// asked is told so, and opens nothing beside it.
func TestControlErrUnanswered(t *testing.T) {
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) { c.Keys.Provider = "software" })
	dir := h.config.Hub.DataDir
	for name, c := range map[string]struct {
		does func(net.Conn)
		want error
		says string
	}{
		"ErrSlow": {func(net.Conn) {}, errSlow, "the hub answers too slowly: it runs on " + dir},
		"ErrCut":  {func(c net.Conn) { c.Read(make([]byte, 1)); c.Close() }, errCut, "the hub ended before it answered"},
	} {
		t.Run(name, func(t *testing.T) {
			listenAs(t, dir, c.does)
			ask := func(method string) error {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				return askHub(ctx, dir, method, "/status", nil, &status{})
			}
			look, act := ask(http.MethodGet), ask(http.MethodPost)
			for _, err := range []error{look, act} {
				if !errors.Is(err, c.want) || unreachable(err) || statusOf(err) != exitUnreachable || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, exit status %d", err, statusOf(err))
				}
			}
			if !strings.Contains(look.Error(), "ask again in a minute") || !strings.Contains(act.Error(), "it may have done what was asked") {
				t.Errorf("what to do: %v; %v", look, act)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := renewVerb.ask(ctx, h.config, 30); !errors.Is(err, c.want) {
				t.Errorf("a verb went on without it: %v", err)
			}
			invited := territory.Invitation{Territory: "demo", Addresses: []string{"127.0.0.1:7443"}, Expires: time.Now().Add(time.Hour)}
			if _, _, err := asking(ctx, h.config, invited); !errors.Is(err, c.want) {
				t.Errorf("join went on without it: %v", err)
			}
		})
	}
	t.Run("ErrFull", func(t *testing.T) {
		if err := unanswered(t.Context(), call{"data", http.MethodGet, 0}, syscall.EAGAIN); !errors.Is(err, errSlow) {
			t.Error(err)
		}
	})
	t.Run("Interrupted", func(t *testing.T) {
		listenAs(t, dir, func(net.Conn) {})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if err := askHub(ctx, dir, http.MethodPost, "/rekey", nil, &rekeyed{}); unreachable(err) || !strings.Contains(err.Error(), "interrupted") {
			t.Error(err)
		}
	})
	t.Run("doctor", func(t *testing.T) {
		listenAs(t, dir, func(net.Conn) {})
		d := &doctor{config: h.config}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		d.checkRunning(ctx)
		mustRemedy(t, d, "running", stateFailed, "relancez relais doctor")
		if d.asleep() {
			t.Error("it would open the keys beside the hub")
		}
	})
}

// listenAs listens in the place of a hub.
func listenAs(t *testing.T, dataDir string, does func(net.Conn)) {
	t.Helper()
	l, err := listenControl(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			does(conn)
		}
	}()
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
