package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"relais/hardware/keyring"
	"relais/node"
)

// A state is what a check yields.
type state string

// The states. They are for machines; a person reads their French name.
const (
	stateOK        state = "ok"
	stateAttention state = "attention" // it works, and somebody should look
	stateFailed    state = "failed"
)

// A check is what relais doctor says of one thing.
type check struct {
	Check   string `json:"check"` // constant, for machines
	State   state  `json:"state"`
	Message string `json:"message"`          // French, one sentence: what is
	Remedy  string `json:"remedy,omitempty"` // French: what to do, when it is not ok
	Detail  string `json:"detail,omitempty"` // English or figures, for whoever digs

	exit int // status that a failed one deserves
}

// A doctor looks at one hub, and disturbs nothing: it takes no lock, writes
// nothing, and opens no key device while a process holds the folder. What the hub
// alone may ask, it asks the hub.
type doctor struct {
	config  Config
	file    string // of the configuration
	rootKey string // that the folder's should be; "" when none was given
	now     time.Time

	running *status // what the hub that runs says; nil: none does
	said    examination
	saidErr error // why the running hub did not say it
	unheard bool  // a hub runs, and did not say how it is
	holder  int   // number of the process that holds the folder; zero: none
	keys    *keyring.Description
	folder  *node.Inspection
	checks  []check
}

func runDoctor(ctx context.Context, std stdio, args []string) error {
	f := flags(std, "doctor [--config FILE] [--root-key KEY|FILE] [--json]")
	config := f.String("config", defaultConfig, "configuration `file`")
	root := f.String("root-key", "", "the territory root's public `key`, or a file that holds it (root.pub), to compare with the hub's")
	asJSON := f.Bool("json", false, "print one JSON list")
	if err := parse(f, args, 0, 0); err != nil {
		return err
	}
	d := &doctor{file: *config, now: time.Now()}
	if *root != "" {
		var err error
		if d.rootKey, err = readRootKey(*root); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	d.examine(ctx)
	if *asJSON {
		if err := json.NewEncoder(std.out).Encode(d.checks); err != nil {
			return err
		}
	} else {
		d.print(std)
	}
	return d.outcome()
}

// examine makes every check that makes sense, in the order in which a hub that
// starts would stumble.
func (d *doctor) examine(ctx context.Context) {
	if !d.checkConfig() || !d.checkFolder() {
		return
	}
	d.checkRunning(ctx)
	d.checkKeyring()
	d.checkDevice()
	d.checkIdentity(ctx)
	if d.folder != nil {
		d.checkCounter()
		d.checkRequest()
		d.checkRoster()
		d.checkNational()
		d.checkClock()
	}
	d.checkAlarms()
}

func (d *doctor) ok(key, message, detail string) {
	d.checks = append(d.checks, check{Check: key, State: stateOK, Message: message, Detail: detail})
}

func (d *doctor) attention(key, message, remedy, detail string) {
	d.checks = append(d.checks, check{Check: key, State: stateAttention, Message: message, Remedy: remedy, Detail: detail})
}

func (d *doctor) failed(exit int, key, message, remedy, detail string) {
	d.checks = append(d.checks, check{Check: key, State: stateFailed, Message: message, Remedy: remedy, Detail: detail, exit: exit})
}

// locked is a check that failed for the reason inside err: what the page of the
// locked hub says.
func (d *doctor) locked(key string, err error) {
	r := keyring.Why(err)
	d.failed(exitLocked, key, r.Message, r.Remedy, err.Error())
}

// checkConfig reads the configuration as serve does.
func (d *doctor) checkConfig() bool {
	var err error
	if d.config, err = loadConfig(d.file); err != nil {
		d.failed(exitFailed, "config", "La configuration ne peut pas être lue.",
			"Corrigez-la là où le détail le dit\u00a0; man relais en donne toutes les clés.", err.Error())
		return false
	}
	d.ok("config", "La configuration est lisible et complète.", d.file)
	return true
}

// askTimeout bounds how long a hub may take to say how it is.
const askTimeout = 10 * time.Second

// checkRunning asks the hub, if one runs, and sees who holds the folder.
func (d *doctor) checkRunning(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var s status
	err := askHub(bounded, d.config.Hub.DataDir, http.MethodGet, "/status", nil, &s)
	d.unheard = err != nil && !unreachable(err)
	var holderErr error
	d.holder, holderErr = node.FolderHolder(d.config.Hub.DataDir)
	switch {
	case err == nil && s.Locked:
		d.hear(ctx, s)
		r := told{keyring.Why(nil).Key, keyring.Why(nil).Message, keyring.Why(nil).Remedy}
		if s.Why != nil { // a hub of an earlier version says none
			r = *s.Why
		}
		d.failed(exitLocked, "running", "Le relais tourne, verrouillé. "+r.Message, r.Remedy, s.Reason)
	case err == nil:
		d.hear(ctx, s)
		d.ok("running", "Le relais tourne.", fmt.Sprintf("version %s, since %s", s.Version, s.StartedAt.Format(time.DateTime)))
	case errors.Is(err, os.ErrPermission):
		d.failed(exitFailed, "running", "Cet utilisateur n’a pas le droit d’interroger le relais.", asItsUser, err.Error())
	case errors.Is(err, errSlow):
		d.failed(exitFailed, "running", "Le relais tourne, et répond trop lentement.",
			"Attendez une minute et relancez relais doctor\u00a0; si cela dure, lisez journalctl -u relais.", err.Error())
	case d.unheard:
		d.failed(exitFailed, "running", "Le relais tourne, et n’a pas su dire comment il va.", "Lisez journalctl -u relais.", err.Error())
	case d.holder != 0:
		d.attention("running", "Un programme tient le dossier du relais, et ne répond pas.",
			fmt.Sprintf("Si c’est une autre commande relais, attendez sa fin\u00a0; sinon, regardez le processus %d, puis journalctl -u relais.", d.holder), err.Error())
	default:
		detail := "no process holds the folder"
		if holderErr != nil {
			detail = holderErr.Error()
		}
		d.ok("running", "Aucun relais ne tourne ici, et le dossier est libre.", detail)
	}
}

// hear asks the hub that runs for what only it may look at.
func (d *doctor) hear(ctx context.Context, s status) {
	d.running = &s
	d.saidErr = askHub(ctx, d.config.Hub.DataDir, http.MethodGet, "/doctor", nil, &d.said)
}

// asleep tells whether no process uses the keys, so that we may.
func (d *doctor) asleep() bool { return d.running == nil && !d.unheard && d.holder == 0 }

const asItsUser = "Relancez relais doctor sous l’utilisateur du relais, ou en root."

// stateNames are the states for people.
var stateNames = map[state]string{stateOK: "ok", stateAttention: "attention", stateFailed: "échec"}

func (d *doctor) print(std stdio) {
	for _, c := range d.checks {
		fmt.Fprintf(std.out, "%-10s %-15s %s\n", stateNames[c.State], c.Check, c.Message)
		if c.Remedy != "" {
			fmt.Fprintf(std.out, "%-26s → %s\n", "", c.Remedy)
		}
		if c.Detail != "" && c.State != stateOK {
			fmt.Fprintf(std.out, "%-26s   (%s)\n", "", c.Detail)
		}
	}
}

// outcome is nil unless a check failed. Locked says more than a proof refused,
// which says more than the rest.
func (d *doctor) outcome() error {
	var exits []int
	for _, c := range d.checks {
		if c.State == stateFailed {
			exits = append(exits, c.exit)
		}
	}
	for _, exit := range []int{exitLocked, exitProof, exitFailed} {
		if slices.Contains(exits, exit) {
			return failWith(exit, "%d of %d checks failed", len(exits), len(d.checks))
		}
	}
	return nil
}
