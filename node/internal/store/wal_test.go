package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"relais/node/internal/store"
	"relais/node/journal"
)

// large appends an entry of so many octets.
func large(tx *store.Tx, octets int) error {
	_, err := tx.AppendJournal(store.JournalRow{
		At: tx.Now, Kind: journal.KindControl, Actor: "machine", Public: make([]byte, octets),
	})
	return err
}

// walWrites counts how many times a child writes to the log for each entry it
// acknowledges.
func walWrites(t *testing.T, mode string) float64 {
	t.Helper()
	const writes = 50
	path := filepath.Join(t.TempDir(), "relais.db")
	n, acked := 0, 0
	for _, c := range traced(t, diskCalls, path, childMode+"="+mode, childWriters+"=1", fmt.Sprint(childWrites, "=", writes)) {
		if _, isAck := acknowledgement(c); isAck {
			acked++
		}
		if c.Name == "pwrite64" && strings.HasSuffix(c.Path, "-wal") && acked > 0 {
			n++
		}
	}
	return float64(n) / (writes - 1)
}

func TestOneWriteACommit(t *testing.T) {
	t.Parallel()
	if n := walWrites(t, "FULL"); n != 1 {
		t.Errorf("%.2f writes to the log a commit, want 1", n)
	}
}

// Without holding, as for NORMAL, each page is two writes: the count above would
// show it.
func TestUnheldWritesAreMany(t *testing.T) {
	t.Parallel()
	if n := walWrites(t, "NORMAL"); n < 6 {
		t.Errorf("%.2f writes to the log a commit, want 6 or more", n)
	}
}

// What is held is at its place for whoever reads: commits larger than what is
// held at once, and larger than the writer's cache, which spills into the log
// before its commit.
func TestHeldAndRead(t *testing.T) {
	db, path := open(t)
	boom := errors.New("boom")
	if err := db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec("PRAGMA cache_size = -1024"); return err }); err != nil {
		t.Fatal(err)
	}
	logSize := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const spilling = 6 // entries of 256 KiB: more than the cache
	entries := int64(0)
	for _, c := range []struct {
		octets, times int
		then          error
	}{
		{100, 1, nil},
		{300 << 10, 1, nil},
		{256 << 10, spilling, boom},
		{100, 3, nil},
		{256 << 10, 2 * spilling, nil},
		{100, 1, boom},
		{130 << 10, 2, nil},
	} {
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			before := logSize()
			for range c.times {
				if err := large(tx, c.octets); err != nil {
					return err
				}
			}
			if c.times >= spilling && logSize() == before {
				t.Error("nothing was spilled: this shows nothing")
			}
			return c.then
		})
		if !errors.Is(err, c.then) {
			t.Fatalf("%d entries of %d octets: %v", c.times, c.octets, err)
		}
		if c.then == nil {
			entries += int64(c.times)
		}
		if n := count(t, db, "journal"); int64(n) != entries {
			t.Fatalf("%d entries are read, want %d", n, entries)
		}
	}
	holds(t, db, entries)
	db.Close()
	holds(t, reopen(t, path, store.Options{}), entries)
}

// A disk that takes no more is an error of the commit: what fails at the sync is
// not acknowledged, and is not in the way of what follows.
func TestDiskFullAtTheSync(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "relais.db")
	out, err := childCommand(t, "fill", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	acked := bytes.Count(out, []byte("ack "))
	refused := bytes.Count(out, []byte("refused"))
	if acked < 2 || refused == 0 {
		t.Errorf("%d acknowledged, %d refused: the disk was not filled half-way", acked, refused)
	}
	if entries := found(t, path); entries != acked {
		t.Errorf("%d entries, %d acknowledged", entries, acked)
	}
}

// fill writes until no file may grow, then with room again.
func fill(db *store.DB, path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	log, err := os.Stat(path + "-wal")
	if err != nil {
		return err
	}
	var unlimited syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		return err
	}
	limited := syscall.Rlimit{Cur: uint64(log.Size()) + 100<<10, Max: unlimited.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		return err
	}
	for range 20 {
		err := db.Write(context.Background(), func(tx *store.Tx) error { return large(tx, 20<<10) })
		if err != nil {
			fmt.Println("refused:", err)
			continue
		}
		fmt.Println("ack", "an entry")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		return err
	}
	return acknowledged(db)
}
