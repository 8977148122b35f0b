package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"

	"relais/node/internal/store"
)

// How the child of a test is told what to do.
const (
	childRole    = "RELAIS_STORE_CHILD"
	childPath    = "RELAIS_STORE_PATH"
	childMode    = "RELAIS_STORE_SYNCHRONOUS"
	childWriters = "RELAIS_STORE_WRITERS"
	childWrites  = "RELAIS_STORE_WRITES" // of each writer
)

// childCommand runs this test binary again in another role.
func childCommand(t testing.TB, role, path string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), childRole+"="+role, childPath+"="+path), env...)
	return cmd
}

// child is what the other process does: open the store and, in role write, write
// and say each acknowledged entry on its own line; in role fill, see fill.
func child(role string) int {
	o := store.Options{Create: true}
	if mode := os.Getenv(childMode); mode != "" {
		o = o.WithSynchronous(mode)
	}
	db, err := store.Open(context.Background(), os.Getenv(childPath), o)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	switch role {
	case "open":
		return 0
	case "fill":
		if err := fill(db, os.Getenv(childPath)); err != nil {
			fmt.Println(err)
			return 1
		}
		return 0
	}
	writers, _ := strconv.Atoi(os.Getenv(childWriters))
	writes, _ := strconv.Atoi(os.Getenv(childWrites))
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for range writes {
				if err := acknowledged(db); err != nil {
					fmt.Println(err)
				}
			}
		})
	}
	wait.Wait()
	return 0 // without closing: that would write once more
}

// acknowledged writes one entry with a row of the domain beside it, and says so.
func acknowledged(db *store.DB) error {
	var size int64
	err := db.Write(context.Background(), func(tx *store.Tx) error {
		size = tx.JournalSize() + 1
		if err := tx.PutPersonKey([16]byte{byte(size), byte(size >> 8), byte(size >> 16)}, make([]byte, 80)); err != nil {
			return err
		}
		return note(tx)
	})
	if err == nil {
		os.Stdout.WriteString("ack " + strconv.FormatInt(size, 10) + "\n")
	}
	return err
}
