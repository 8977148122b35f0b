package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/node/territory"
)

// exitCode tells a proof that does not hold from any other failure.
func exitCode(err error) int {
	if errors.Is(err, territory.ErrForged) {
		return exitProof
	}
	return exitFailed
}

// runInit makes the database, the folder and its keys, and prints what the roster must say.
func runInit(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, place := flags("init", "", stderr)
	name := f.String("name", "Service national", "`name` of the service in the roster")
	url := f.String("url", "", "`url` that hubs will call, https://host:port; required")
	index := f.Uint("index", math.MaxUint16, "roster `index`, never used twice; hubs count from the other end")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	if *url == "" || *index > math.MaxUint16 {
		f.Usage()
		return errUsage
	}
	at, err := place.database()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(place.data, 0o700); err != nil {
		return err
	}
	db, err := store.Open(ctx, at)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	key, witness, err := createKeys(place.data)
	if err != nil {
		return err
	}
	entry, err := service.Entry(key, witness, uint16(*index), *name, *url)
	if err != nil {
		return err
	}
	return printJSON(stdout, entry)
}

// createKeys makes the keys of the folder. An identity of before services had a
// witness key is given one.
func createKeys(dir string) (*ecdsa.PrivateKey, ed25519.PrivateKey, error) {
	key, err := service.CreateIdentity(dir)
	if errors.Is(err, service.ErrExists) {
		if witness, loadErr := service.LoadWitness(dir); witness != nil || loadErr != nil {
			return nil, nil, errors.Join(err, loadErr)
		}
		key, err = service.LoadIdentity(dir)
	}
	if err != nil {
		return nil, nil, err
	}
	witness, err := service.CreateWitness(dir)
	return key, witness, err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
