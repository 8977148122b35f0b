package node_test

import (
	"errors"
	"path/filepath"
	"testing"

	"relais/node"
)

func TestLockFolder(t *testing.T) {
	h := newLand(t).newHub(t, "Valbrume")
	if _, err := node.LockFolder(h.Options.Dir); !errors.Is(err, node.ErrInUse) {
		t.Errorf("while the hub runs: %v", err)
	}
	if _, err := node.LockFolder(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, node.ErrNoFolder) {
		t.Errorf("no folder: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	folder, err := node.LockFolder(h.Options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := node.Open(t.Context(), h.Options); !errors.Is(err, node.ErrInUse) {
		t.Errorf("opened without the lock that is held: %v", err)
	}
	o := h.Options
	o.Folder = folder
	if h.Node, err = node.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("released when Open fails", func(t *testing.T) {
		dir := t.TempDir()
		folder, err := node.LockFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := node.Open(t.Context(), node.Options{Dir: dir, Folder: folder}); !errors.Is(err, node.ErrNoFolder) {
			t.Errorf("an empty folder: %v", err)
		}
		again, err := node.LockFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		again.Release()
	})
	h.open(t)
}

// Whoever adopts a folder keeps its lock: there are keys to close before others may
// try them.
func TestAdoptIdentityKeepsTheFolder(t *testing.T) {
	h := newLand(t).newHub(t, "Valbrume")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	folder, err := node.LockFolder(h.Options.Dir)
	if err != nil {
		t.Fatal(err)
	}
	o := h.Options
	o.Folder = folder
	if _, err := node.AdoptIdentity(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if _, err := node.LockFolder(h.Options.Dir); !errors.Is(err, node.ErrInUse) {
		t.Errorf("once it is adopted: %v", err)
	}
	if err := folder.Release(); err != nil {
		t.Fatal(err)
	}
	h.open(t)
}
