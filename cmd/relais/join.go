package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"relais/hardware/keyring"
	"relais/node"
	"relais/node/fault"
	"relais/node/territory"
	"relais/sync/link"
)

const (
	// joinPoll is how often an answer is asked for.
	joinPoll = 2 * time.Second
	// joinWait is how long join waits for it unless told otherwise.
	joinWait = 15 * time.Minute
)

// joined is what join prints as JSON, once the answer came or it waits no more.
type joined struct {
	Hub         territory.HubID   `json:"hub"`
	State       node.RequestState `json:"state"`
	Fingerprint string            `json:"fingerprint"`
	Version     uint32            `json:"version,omitempty"` // of the roster, once approved
	// RecoveryCode is set when join made the hub: it is nowhere else.
	RecoveryCode string `json:"recovery_code,omitempty"`
}

func runJoin(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "join [--config FILE] [--wait DURATION] [--json] [CODE|-]")
	config := f.String("config", defaultConfig, "configuration `file`")
	wait := f.Duration("wait", joinWait, "how long to wait for the answer, a `duration`; 0: ask and leave, the same command asks again")
	asJSON := f.Bool("json", false, "print one JSON object at the end")
	if err := parse(f, args, 0, 1); err != nil {
		return err
	}
	if f.NArg() == 0 {
		fmt.Fprint(std.err, "Paste the invitation, relais-…, then press Enter: ")
	}
	i, err := readInvitation(std.in, f.Arg(0))
	if err != nil {
		return err
	}
	c, err := loadConfig(*config)
	if err != nil {
		return err
	}
	if i.Territory != c.Hub.Territory {
		return failWith(exitUsage, "the invitation is for territory %q, and hub.territory says %q: one of them is wrong; nothing was made", i.Territory, c.Hub.Territory)
	}
	say := std
	if *asJSON {
		say.out = io.Discard
	}
	done, err := joinTerritory(ctx, say, c, i, *wait)
	if *asJSON && (done.State != "" || done.RecoveryCode != "") { // that code is nowhere else
		err = errors.Join(err, json.NewEncoder(std.out).Encode(done))
	}
	return err
}

// readInvitation takes the code from the command line or, without one and for "-",
// a line of standard input, where no other user of the machine can read it.
func readInvitation(in io.Reader, arg string) (territory.Invitation, error) {
	if arg == "" || arg == "-" {
		text, err := bufio.NewReader(io.LimitReader(in, territory.MaxInvitationOctets+1)).ReadString('\n')
		if err != nil && err != io.EOF {
			return territory.Invitation{}, err
		}
		arg = text
	}
	i, err := territory.ParseInvitation(arg)
	if err != nil {
		return i, failWith(exitUsage, "%w; copy the whole code, relais-…, as relais territory invite printed it", err)
	}
	return i, nil
}

// joinTerritory makes the hub if there is none, asks for its place and waits for
// the answer. Interrupted anywhere, it goes on from there when it is run again.
func joinTerritory(ctx context.Context, std stdio, c Config, i territory.Invitation, wait time.Duration) (done joined, err error) {
	done.RecoveryCode, err = makeNewcomer(ctx, std, c, i)
	if err != nil {
		return done, err
	}
	ask, closing, err := asking(ctx, c, i)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, closing()) }()
	deadline := time.Now().Add(wait)
	for {
		told, err := ask(ctx)
		if err != nil && done.Fingerprint != "" && passes(err) && time.Now().Before(deadline) && pause(ctx, joinPoll) {
			continue // it asked already: the hub there restarts, or the line is cut
		}
		if err != nil {
			return done, joinError(err)
		}
		if done.Fingerprint == "" {
			fmt.Fprintf(std.out, "fingerprint    %s\n               Read it aloud to whoever invited this hub: they approve what they hear.\n", told.Fingerprint)
		}
		done.Hub, done.State, done.Fingerprint, done.Version = told.Hub, told.State, told.Fingerprint, told.Version
		switch {
		case told.State == node.RequestRefused:
			return done, errors.New("the territory turned this hub down; ask whoever invited it why, and for another code")
		case told.State == node.RequestApproved:
			fmt.Fprintf(std.out, "approved       roster version %d lists this hub\n", told.Version)
			return done, nil
		case wait == 0:
			fmt.Fprintln(std.out, "waiting        for approval; the same command asks again")
			return done, nil
		case time.Now().After(deadline):
			return done, fmt.Errorf("no answer within %v: the request is kept there, the same command asks again", wait)
		}
		if !pause(ctx, joinPoll) {
			return done, errors.New("interrupted: the request is kept there, the same command asks again")
		}
	}
}

// makeNewcomer makes the hub of a machine that has none, for the territory that
// the invitation leads to, which is looked at first: nothing is made for one that
// does not answer. It returns the recovery code of the hub it made.
func makeNewcomer(ctx context.Context, std stdio, c Config, i territory.Invitation) (code string, err error) {
	if _, err := keyring.Pinned(c.Hub.DataDir); !errors.Is(err, keyring.ErrNone) {
		return "", err
	}
	if time.Now().After(i.Expires) {
		return "", fmt.Errorf("the invitation ended at %s, by this machine's clock: ask for a new code, or set the clock; nothing was made", i.Expires.Local().Format(time.DateTime))
	}
	seen, err := lookAround(ctx, c, i)
	if err != nil {
		return "", joinError(err)
	}
	m, err := createHub(ctx, c, seen.RootKey)
	if err != nil {
		return "", err
	}
	if err := m.writeRequest(ctx); err != nil {
		return "", m.undo(err)
	}
	b, err := m.born()
	if err = errors.Join(err, m.keys.Close()); err != nil {
		return "", err
	}
	fmt.Fprintf(std.out, "territory      %s\n", seen.Roster.Name)
	printBorn(std, b)
	return b.RecoveryCode, nil
}

// placed is what the running hub answers for a join.
type placed struct {
	Hub         territory.HubID   `json:"hub"`
	State       node.RequestState `json:"state"`
	Fingerprint string            `json:"fingerprint"`
	Version     uint32            `json:"version"`
}

// asking returns how to ask: through the hub that runs, or as that hub.
func asking(ctx context.Context, c Config, i territory.Invitation) (ask func(context.Context) (placed, error), closing func() error, err error) {
	code, err := i.Code()
	if err != nil {
		return nil, nil, err
	}
	body, err := json.Marshal(code)
	if err != nil {
		return nil, nil, err
	}
	var running status
	err = askHub(ctx, c.Hub.DataDir, http.MethodGet, "/status", nil, &running)
	if err == nil {
		return func(ctx context.Context) (p placed, err error) {
			return p, askHub(ctx, c.Hub.DataDir, http.MethodPost, joinPath, body, &p)
		}, func() error { return nil }, nil
	}
	if !unreachable(err) {
		return nil, nil, err
	}
	keys, n, err := openFolder(ctx, c, nil)
	if err != nil {
		return nil, nil, err
	}
	closing = func() error { return errors.Join(keys.Close(), n.Close()) }
	var w *newcomer
	credentials, err := link.NewCredentials(n.Self(), keys.Identity(), nil)
	if err == nil {
		w, err = newNewcomer(c, n, keys, credentials)
	}
	if err != nil {
		return nil, nil, errors.Join(err, closing())
	}
	return func(ctx context.Context) (placed, error) { return w.ask(ctx, i) }, closing, nil
}

// passes tells whether an answer may come later to the same question.
func passes(err error) bool {
	return statusOf(joinError(err)) == exitUnreachable || errors.Is(err, link.ErrNotInviting) ||
		fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Limited)
}

// pause waits, and tells whether it was left to.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
