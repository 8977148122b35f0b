package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"relais/hardware/keyring/recoverywork"
	"relais/node/nodetest"
)

// recoveryAsItShips is what a recovery code costs outside these tests, in KiB.
var recoveryAsItShips = recoverywork.MemoryKiB

// Here a passphrase, a root's or a helper's, and a recovery code cost less than as
// they ship: also to the verbs that a script types.
func init() {
	scryptWork = 10
	recoverywork.MemoryKiB = recoverywork.LightKiB
	nodetest.CheapPassphrases()
}

// TestRootAsItShips: a root is kept by the programs as they ship, under a
// passphrase that is dear to guess; here it is cheap. The verbs read both.
func TestRootAsItShips(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	phrase := filepath.Join(dir, "phrase")
	if err := os.WriteFile(phrase, []byte("une phrase d’essai assez longue\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	work := func(folder string) (n int) {
		t.Helper()
		sealed, err := os.ReadFile(filepath.Join(folder, rootSecretFile))
		if err != nil {
			t.Fatal(err)
		}
		_, stanza, _ := bytes.Cut(sealed, []byte("-> scrypt "))
		if _, err := fmt.Sscanf(string(stanza), "%s %d\n", new(string), &n); err != nil {
			t.Fatalf("%v: %q", err, stanza)
		}
		if _, err := readSecret(filepath.Join(folder, rootSecretFile), "une phrase d’essai assez longue"); err != nil {
			t.Error(err)
		}
		return n
	}
	shipped, here := filepath.Join(dir, "shipped"), filepath.Join(dir, "here")
	relais := buildPrograms(t).relais
	if _, err := capture(t.Context(), relais, "territory", "init", "--code", "demo", "--name", "Essai", "--passphrase-file", phrase, shipped); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(here, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := makeRoot(here, "demo", "Essai", "une phrase d’essai assez longue", "", nil); err != nil {
		t.Fatal(err)
	}
	if n := work(shipped); n != rootWork {
		t.Errorf("as it ships, scrypt's N is 2^%d, want 2^%d", n, rootWork)
	}
	if n := work(here); n >= rootWork {
		t.Errorf("the search cannot tell a cheap one: 2^%d", n)
	}
}
