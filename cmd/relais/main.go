// Command relais is the hub of a place of digital mediation, and the tools that
// go with it: one binary, one file per verb.
//
// What a person types it for goes to standard output; everything else goes to
// standard error, prefixed with "relais:". The exit status is part of the
// interface: see the constants below and relais(1).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"relais/node/fault"
	"relais/node/territory"
)

// The exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitProof       = 3 // a proof, a signature or a journal does not hold
	exitUnreachable = 4 // the hub that should answer does not
	exitLocked      = 5 // no key slot opens
)

// Set at link time by make build.
var (
	version  = "development"
	released = "0" // Unix seconds
)

// A verb is what `relais <name>` does. Its function parses its own flags.
type verb struct {
	name, summary string
	run           func(ctx context.Context, std stdio, args []string) error
}

// stdio is where a verb reads and writes, so that tests can look on.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func verbs() []verb {
	return []verb{
		{"init", "make the keys and the folder of a new hub", runInit},
		{"join", "make a new hub, and ask for its place in a territory with an invitation", runJoin},
		{"serve", "run the hub until told to stop", runServe},
		{"seal-agent", "hold the TPM for a hub, in a process without network", runSealAgent},
		{"recover", "open a hub whose machine lost its keys, and make it this machine's", runRecover},
		{"rekey", "replace the key of a hub, and seal everything again under the new one", runRekey},
		{"status", "say how the running hub is", runStatus},
		{"doctor", "look for what is wrong with a hub, running or not", runDoctor},
		{"verify", "check the journal in a folder or in a copy of it", runVerify},
		{"territory", "make, change, sign and install the roster of a territory", runTerritory},
		{"helper", "open a helper's account on this hub", runHelper},
		{"demo", "play the main job on three hubs of this machine", runDemo},
		{"version", "say which version this is", runVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	os.Exit(run(ctx, stdio{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// endings are the signals that end a verb in good order. A terminal that closes
// is one of them, except under nohup, which asks that it be none.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// run does what args ask for and returns the exit status.
func run(ctx context.Context, std stdio, args []string) int {
	if len(args) == 0 {
		usage(std.err)
		return exitUsage
	}
	if asksHelp(args) {
		usage(std.out)
		return exitOK
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return exitStatus(std.err, v.run(ctx, std, args[1:]))
		}
	}
	fmt.Fprintf(std.err, "relais: there is no verb %q; relais help lists them\n", args[0])
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprint(w, "usage: relais <verb> [flags] [arguments]\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-10s %s\n", v.name, v.summary)
	}
	fmt.Fprint(w, "\nrelais <verb> -h prints the flags of a verb; relais(1) tells the rest.\n"+
		"Exit status: 0 done, 1 failed, 2 usage, 3 proof refused, 4 unreachable, 5 locked.\n")
}

// An exitError carries the exit status that its cause deserves.
type exitError struct {
	status int
	cause  error
}

func (e *exitError) Error() string { return e.cause.Error() }
func (e *exitError) Unwrap() error { return e.cause }

func failWith(status int, format string, args ...any) error {
	return &exitError{status, fmt.Errorf(format, args...)}
}

// exitStatus says on w what went wrong, in English, and returns the status.
func exitStatus(w io.Writer, err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	fmt.Fprintln(w, "relais:", err)
	return statusOf(err)
}

func statusOf(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.status
	}
	if errors.Is(err, territory.ErrForged) {
		return exitProof
	}
	if fault.Is(err, fault.Locked) {
		return exitLocked
	}
	return exitFailed
}

// flags returns the flag set of a verb. Its usage line is `relais <synopsis>`.
func flags(std stdio, synopsis string) *flag.FlagSet {
	f := flag.NewFlagSet(synopsis, flag.ContinueOnError)
	f.SetOutput(std.err)
	f.Usage = func() {
		fmt.Fprintf(std.err, "usage: relais %s\n\n", synopsis)
		f.PrintDefaults()
	}
	return f
}

// parse reads the flags and checks how many arguments are left.
func parse(f *flag.FlagSet, args []string, least, most int) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return &exitError{exitUsage, err}
	}
	if n := f.NArg(); n < least || n > most {
		return failWith(exitUsage, "usage: relais %s", f.Name())
	}
	return nil
}

// isSet tells whether a flag was given, be it empty.
func isSet(f *flag.FlagSet, name string) (set bool) {
	f.Visit(func(g *flag.Flag) { set = set || g.Name == name })
	return set
}

// asksHelp tells whether the arguments of a verb that has verbs of its own ask
// for its usage, which is then no error.
func asksHelp(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0])
}

func runVersion(_ context.Context, std stdio, args []string) error {
	if err := parse(flags(std, "version"), args, 0, 0); err != nil {
		return err
	}
	fmt.Fprintln(std.out, "relais", version)
	return nil
}

// releaseTime is when this binary was made, as far as it knows.
func releaseTime() time.Time {
	seconds, err := strconv.ParseInt(released, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
