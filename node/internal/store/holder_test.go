package store_test

import (
	"os"
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
