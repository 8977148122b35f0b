package node_test

import (
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
)

func init() { recoverywork.MemoryKiB = recoverywork.LightKiB }

// newRing makes a keyring in a folder.
func newRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	keys, _, err := keyring.Create(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// rekeyRing replaces the key of the ring that newRing made in a folder, as while
// the hub is stopped, and opens it.
func rekeyRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	keys := openRing(t, dir)
	if err := keys.Rekey(keyring.NewRecoveryCode()); err != nil {
		t.Fatal(err)
	}
	return keys
}

func openRing(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	keys, err := keyring.Open(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
