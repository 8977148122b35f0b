// Command national is the reference national service: the contract of
// sync/national/openapi.yaml made executable, for tests, demonstrations and
// whoever writes the real one. It is never packaged with the hub.
//
// A territory is served in three commands:
//
//	national init --data DIR --url https://host:port      makes the identity, prints the entry to sign into the roster
//	national install-roster --data DIR --root KEY ROSTER  takes the roster that the territory's root signed
//	national serve --data DIR --listen host:port          serves until told to stop
//
// The records are in a SQLite file of the folder, or in a PostgreSQL database
// with --dsn-file FILE. Then several instances, each with a copy of the identity,
// may serve behind one address; TLS must reach them, since hubs recognise the
// service by its identity.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"relais/cmd/national/internal/store"
)

// The exit codes, those of relais.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitProof  = 3 // a signature does not hold
)

const usage = `usage: national <verb> --data DIR [flags]

  init               make the folder and its keys, print the roster entry
  install-roster     take the territory's root key and signed roster
  import-structures  make the list of structures what a file says, CSV or JSON
  serve              serve the contract over mutual TLS 1.3
  status             read the database beside the running service

national <verb> -h tells the flags.
`

// errUsage means that the command line, not the work, was wrong; what was wrong
// is already said.
var errUsage = errors.New("usage")

func main() {
	syscall.Umask(0o077) // nothing of the folder is for others
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verbs := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"init":              runInit,
		"install-roster":    runInstallRoster,
		"import-structures": runImport,
		"serve":             runServe,
		"status":            runStatus,
	}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	err := verbs[args[0]](ctx, args[1:], stdout, stderr)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	}
	fmt.Fprintf(stderr, "national: %v\n", err)
	return exitCode(err)
}

// dsnCredential is looked for in $CREDENTIALS_DIRECTORY, where systemd hands
// secrets over.
const dsnCredential = "national-dsn"

// place is where one instance keeps its identity, and where the database is.
type place struct {
	data    string // the folder
	dsnFile string // "" for a database in the folder, unless there is a credential
}

// database finds the database. A DSN has a password in it, so it is read from a
// file: others of the machine may read a command line and an environment.
func (p *place) database() (store.At, error) {
	file := p.dsnFile
	if folder := os.Getenv("CREDENTIALS_DIRECTORY"); file == "" && folder != "" {
		handed := filepath.Join(folder, dsnCredential)
		if _, err := os.Stat(handed); err == nil {
			file = handed
		} else if !errors.Is(err, fs.ErrNotExist) {
			return store.At{}, err
		}
	}
	if file == "" {
		return store.At{Dir: p.data}, nil
	}
	dsn, err := store.ReadDSN(file)
	return store.At{DSN: dsn}, err
}

// flags returns a flag set that says where it belongs and returns its errors.
func flags(verb, tail string, stderr io.Writer) (*flag.FlagSet, *place) {
	f := flag.NewFlagSet("national "+verb, flag.ContinueOnError)
	f.SetOutput(stderr)
	p := new(place)
	f.StringVar(&p.data, "data", "", "the `folder` of the identity, and of the database unless it is PostgreSQL; required")
	f.StringVar(&p.dsnFile, "dsn-file", "", "the `file` that holds the DSN of a PostgreSQL database; without it, the credential "+dsnCredential+" if there is one")
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: national %s --data DIR [flags]%s\n", verb, tail)
		f.PrintDefaults()
	}
	return f, p
}

// parse reads the flags; --data is required, and so are exactly n arguments.
func parse(f *flag.FlagSet, args []string, n int) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage // the flag package said what
	}
	if f.Lookup("data").Value.String() == "" || f.NArg() != n {
		f.Usage()
		return errUsage
	}
	return nil
}
