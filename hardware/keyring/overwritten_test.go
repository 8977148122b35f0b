package keyring_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"relais/hardware/keyring"
	"relais/node/seal"
)

// blank tells whether octets were overwritten.
func blank(octets []byte) bool {
	return !slices.ContainsFunc(octets, func(b byte) bool { return b != 0 })
}

// secrets are the keys in memory, which are in use, so not blank.
func secrets(t *testing.T, k *keyring.Keyring) [][]byte {
	t.Helper()
	k.Tag(seal.PurposeCredential, []byte("camille"))
	all := k.Secrets()
	if len(all) < 2 || slices.ContainsFunc(all, blank) {
		t.Fatalf("%d keys in memory, or a blank one", len(all))
	}
	return all
}

// mustBlank checks that every octet of keys that are let go was overwritten.
func mustBlank(t *testing.T, when string, keys [][]byte) {
	t.Helper()
	for i, key := range keys {
		if !blank(key) {
			t.Errorf("%s: key %d of %d is still in memory", when, i, len(keys))
		}
	}
}

// TestKeysAreOverwritten: a KEK that is replaced, forgotten or closed is
// overwritten where it was, and its tag keys with it; what passed between the
// keyring and its provider is too. What is held meanwhile goes on.
func TestKeysAreOverwritten(t *testing.T) {
	m := newMachine(keyring.KindTPM)
	dir := filepath.Join(t.TempDir(), "hub")
	k, _, err := keyring.Create(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	mustBlank(t, "made", m.handed)
	row := sealed(t, k, "Camille")
	first := secrets(t, k)

	rekeyed(t, k)
	mustBlank(t, "replaced", first)
	mustBlank(t, "rekeyed", m.handed)
	mustOpen(t, k, row, "Camille")
	second := secrets(t, k)
	if len(second) < 3 {
		t.Errorf("%d keys of two epochs", len(second))
	}

	row = sealed(t, k, "Camille")
	if err := k.Forget(); err != nil {
		t.Fatal(err)
	}
	mustBlank(t, "forgotten", second)
	mustOpen(t, k, row, "Camille")
	third := secrets(t, k)

	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	mustBlank(t, "closed", third)
	again, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	mustBlank(t, "opened", m.handed)
	mustOpen(t, again, row, "Camille")
}

// TestErrClosed: a keyring that is closed seals under no blank key, and writes
// none in the place of a real one.
func TestErrClosed(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	row := sealed(t, k, "Camille")
	k.Close()
	_, sealing := k.Seal(seal.PurposeHelper, place, []byte("Sacha"))
	_, opening := k.Open(seal.PurposeHelper, place, row)
	_, retagging := k.Retag(seal.PurposeCredential, seal.Tag{Key: 1})
	for name, err := range map[string]error{
		"Seal": sealing, "Open": opening, "Retag": retagging, "Rekey": k.Rekey(keyring.NewRecoveryCode()),
	} {
		if !errors.Is(err, keyring.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a tag of no key")
			}
		}()
		k.Tag(seal.PurposeCredential, []byte("camille"))
	}()
	again, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, again, row, "Camille")
}

// TestOverwrittenInUse: keys are overwritten while others seal, open and look up,
// and nobody ever uses a blank one.
func TestOverwrittenInUse(t *testing.T) {
	dir, m := existing(t)
	k, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	tag := k.Tag(seal.PurposeCredential, []byte("camille"))
	done := make(chan struct{})
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				row, err := k.Seal(seal.PurposeHelper, place, []byte("Camille"))
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := k.Open(seal.PurposeHelper, place, row); err == nil && !bytes.Equal(got, []byte("Camille")) || err != nil && !errors.Is(err, seal.ErrOtherKey) {
					t.Errorf("Open = %q, %v", got, err) // forgotten in between, at worst
				}
				now, err := k.Retag(seal.PurposeCredential, seal.Tag{Key: 1, Sum: tag})
				if tags := k.Tags(seal.PurposeCredential, []byte("camille")); err != nil || tags[0].Key == now.Key && tags[0] != now {
					t.Errorf("retagged %v, %v; looked up %v", now, err, tags)
				}
			}
		})
	}
	for range 3 {
		rekeyed(t, k)
		if err := k.Forget(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	work.Wait()
}
