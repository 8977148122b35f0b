package node_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/soft"
)

// ring is a keyring's folder: its files by name.
type ring map[string][]byte

// rings are a keyring as it was made, and as it is once rekeyed. Both cost
// Argon2id's work for a recovery code: what is not about making one uses these.
var rings = sync.OnceValues(func() (r struct{ made, rekeyed ring }, err error) {
	dir, err := os.MkdirTemp("", "ring")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	keys, _, err := keyring.Create(dir, soft.New(dir))
	if err != nil {
		return r, err
	}
	defer keys.Close()
	if r.made, err = readRing(dir); err != nil {
		return r, err
	}
	if err := keys.Rekey(keyring.NewRecoveryCode()); err != nil {
		return r, err
	}
	r.rekeyed, err = readRing(dir)
	return r, err
})

func readRing(dir string) (ring, error) {
	files := ring{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	})
	return files, err
}

// put writes the ring into a folder.
func (r ring) put(t testing.TB, dir string) {
	t.Helper()
	for name, octets := range r {
		if err := os.WriteFile(filepath.Join(dir, name), octets, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newRing opens a keyring in a folder.
func newRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	r, err := rings()
	if err != nil {
		t.Fatal(err)
	}
	r.made.put(t, dir)
	return openRing(t, dir)
}

// rekeyRing replaces the ring that newRing put into a folder by what it is once
// rekeyed, as while the hub is stopped, and opens it.
func rekeyRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	r, err := rings()
	if err != nil {
		t.Fatal(err)
	}
	for name := range r.made {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	r.rekeyed.put(t, dir)
	return openRing(t, dir)
}

func openRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	keys, err := keyring.Open(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
