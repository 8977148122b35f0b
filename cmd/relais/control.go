package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
)

// The control socket is how the command line talks to a running hub: HTTP and
// JSON on a unix socket in the data folder, for root and the hub's own user
// alone. The kernel says who calls (SO_PEERCRED); there is nothing to guess.
//
//	GET  /status         how the hub is
//	GET  /doctor         what relais doctor must not look at itself
//	POST /national-pass  reconcile with the national service now
//	POST /checkpoint     sign the journal as it stands
//	POST /roster         a signed roster to install
//	POST /helpers        an account to open
//	POST /join           an invitation, to ask for this hub's place
//	POST /invitations …  what the territory asks of a hub: hubVerbs
//	POST /rekey          a recovery code to replace the key under; none: say whether it can be
//
// What changes something is in the journal: as what it changed or, where that
// writes no entry, as the verb that came.
const controlName = "control.sock"

const joinPath = "/join"

const (
	// maxControlOctets bounds a request or an answer.
	maxControlOctets = maxRosterOctets
	// controlTimeout bounds a call: a national pass is the longest.
	controlTimeout = 2 * time.Minute
)

// control answers on the control socket.
type control struct {
	node     *node.Node
	status   func(context.Context) (status, error)
	doctor   func(context.Context) (examination, error)
	national func(context.Context) (node.NationalPass, error)
	join     func(context.Context, territory.Invitation) (placed, error)
	rekey    func(context.Context, rekeyRequest) (rekeyed, error)
	note     func(ctx context.Context, verb string) error // in the journal
	log      *slog.Logger
	locked   error // why nothing but how the hub is can be answered; nil: all can
}

// peerUID is the context key of the caller's user.
type peerUID struct{}

// listenControl makes the socket anew: one left by a hub that was killed is
// removed, since the folder's lock says that no other runs.
func listenControl(dataDir string) (net.Listener, error) {
	path, done, err := shortPath(dataDir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // its short name is gone by then
	return l, os.Chmod(path, 0o600)
}

// shortPath returns a name of the control socket that fits in the 108 octets of
// a socket address, however deep the folder. It is good until done is called.
func shortPath(dataDir string) (path string, done func(), err error) {
	folder, err := os.Open(dataDir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), controlName), func() { folder.Close() }, nil
}

// server returns the HTTP server of the socket.
func (c *control) server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /status", answer(func(r *http.Request) (any, error) { return c.status(r.Context()) }))
	mux.Handle("GET /doctor", answer(func(r *http.Request) (any, error) { return c.doctor(r.Context()) }))
	if c.locked != nil {
		mux.Handle("/", answer(func(*http.Request) (any, error) { return nil, c.locked }))
	} else {
		c.verbs(mux)
	}
	return &http.Server{
		Handler:           c.trusted(mux),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			if uid, err := callerOf(conn); err == nil {
				ctx = context.WithValue(ctx, peerUID{}, uid)
			}
			return ctx
		},
	}
}

// liveVerb is one that only a hub that runs can do, or does its own way.
type liveVerb struct {
	path string // POST
	do   func(*http.Request) (any, error)
}

func (c *control) liveVerbs() []liveVerb {
	return []liveVerb{
		{"/national-pass", c.noted(func(r *http.Request) (any, error) { return c.national(r.Context()) })},
		{"/checkpoint", c.noted(c.checkpoint)},
		{"/roster", c.roster},
		{"/helpers", c.helper},
		{joinPath, c.place},
		{"/rekey", c.replaceKey},
	}
}

// verbs are what a hub does for its owner.
func (c *control) verbs(mux *http.ServeMux) {
	for _, v := range c.liveVerbs() {
		mux.Handle("POST "+v.path, answer(v.do))
	}
	for _, v := range hubVerbs() {
		mux.Handle("POST "+v.at(), v.answers(c.node))
	}
}

// noted writes the verb in the journal before it is done: what it does writes no
// entry of its own.
func (c *control) noted(do func(*http.Request) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if err := c.note(r.Context(), r.URL.Path); err != nil {
			return nil, err
		}
		return do(r)
	}
}

// callerOf asks the kernel which user is at the other end.
func callerOf(conn net.Conn) (uid uint32, err error) {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			uid = cred.Uid
		}
	})
	return uid, errors.Join(controlErr, err)
}

// trusted lets root and the hub's own user in, and logs what they ask.
func (c *control) trusted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		uid, known := r.Context().Value(peerUID{}).(uint32)
		if !known || (uid != 0 && uid != uint32(os.Geteuid())) {
			http.Error(w, "not your hub", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet {
			c.log.Info("control", "verb", r.URL.Path, "uid", uid)
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlOctets)
		next.ServeHTTP(w, r)
	})
}

func (c *control) checkpoint(r *http.Request) (any, error) {
	text, err := c.node.Checkpoint(r.Context())
	return map[string]string{"checkpoint": string(text)}, err
}

func (c *control) roster(r *http.Request) (any, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := c.node.InstallRoster(r.Context(), text); err != nil {
		return nil, err
	}
	return map[string]uint32{"version": c.node.Roster().Version}, nil
}

func (c *control) helper(r *http.Request) (any, error) {
	var h node.NewHelper
	if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		return nil, fault.New(fault.Invalid, "Demande illisible.", err)
	}
	var err error
	if h.Structure, err = onlyStructure(c.node, h.Structure); err != nil {
		return nil, err
	}
	return c.node.EnrolHelper(r.Context(), nil, h)
}

func (c *control) place(r *http.Request) (any, error) {
	var code string
	if err := json.NewDecoder(r.Body).Decode(&code); err != nil {
		return nil, fault.New(fault.Invalid, "Demande illisible.", err)
	}
	i, err := territory.ParseInvitation(code)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Ce code n’est pas une invitation.", err)
	}
	p, err := c.join(r.Context(), i)
	return p, joinError(err)
}

// answer turns a function into a handler that answers in JSON.
func answer(f func(*http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			v = refusal{statusOf(err), err.Error()}
		}
		json.NewEncoder(w).Encode(v) // the caller is gone when this fails
	})
}
