package store_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"relais/node/internal/store"
)

// Who holds a folder is told without holding it.
func TestHolder(t *testing.T) {
	dir := t.TempDir()
	want := func(when string, pid int) {
		t.Helper()
		if got, err := store.Holder(dir); err != nil || got != pid {
			t.Errorf("%s: process %d, %v; want %d", when, got, err, pid)
		}
	}
	want("before the first", 0)
	lock, err := store.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	want("held", os.Getpid())
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	want("let go of", 0)
	again, err := store.Acquire(dir) // asking took nothing
	if err != nil {
		t.Fatal(err)
	}
	again.Release()
}

// A folder that was let go of is free, though a process that was begun before has the
// lock's file yet; and it is free only once each share is.
func TestReleaseWhileForking(t *testing.T) {
	dir := t.TempDir()
	lock, err := store.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	begun := exec.CommandContext(t.Context(), "sleep", "60")
	begun.ExtraFiles = []*os.File{lock.File()}
	if err := begun.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { begun.Process.Kill(); begun.Wait() }()
	share := lock.Share()
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Acquire(dir); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a share remains: %v", err)
	}
	if err := share.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Acquire(dir)
	if err != nil {
		t.Fatalf("nobody uses it: %v", err)
	}
	again.Release()
}
