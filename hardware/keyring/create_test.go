package keyring_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/hardware/keyring"
)

// The KEK and the code are in no file; the twin shows that the search can find.
func TestNothingSecretOnDisk(t *testing.T) {
	m := newMachine(keyring.KindTPM)
	dir, _, code := create(t, m)
	for name, secret := range map[string][]byte{"KEK": m.kek, "recovery code": code[:], "identity key": m.pkcs8} {
		if foundIn(t, dir, secret) {
			t.Errorf("the %s is on the disk in clear", name)
		}
		os.WriteFile(filepath.Join(dir, "planted"), append([]byte("…"), secret...), 0o600)
		if !foundIn(t, dir, secret) {
			t.Errorf("a planted %s is not found: this test shows nothing", name)
		}
		os.Remove(filepath.Join(dir, "planted"))
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	entries, err := os.ReadDir(made().dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files, %v; want two generations and nothing else", len(entries), err)
	}
	for _, e := range entries {
		if info, _ := e.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", e.Name(), info.Mode())
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Run("ErrExists", func(t *testing.T) {
		dir, _ := existing(t)
		before := files(t, dir)
		if _, _, err := keyring.Create(dir, newMachine(keyring.KindTPM)); !errors.Is(err, keyring.ErrExists) {
			t.Errorf("Create over a keyring = %v, want ErrExists", err)
		}
		os.Remove(filepath.Join(dir, "keyring.json"))
		if _, _, err := keyring.Create(dir, newMachine(keyring.KindTPM)); !errors.Is(err, keyring.ErrExists) {
			t.Errorf("Create over a previous generation = %v, want ErrExists", err)
		}
		if got := files(t, dir); got["keyring.previous.json"] != before["keyring.previous.json"] {
			t.Error("a refused Create changed the keyring")
		}
	})
	t.Run("ErrProvider", func(t *testing.T) {
		dir := t.TempDir()
		broken := newMachine(keyring.KindTPM)
		broken.fails = errors.New("no TPM device")
		if _, code, err := keyring.Create(dir, broken); !errors.Is(err, broken.fails) || code != (keyring.RecoveryCode{}) {
			t.Errorf("Create = %v, want the provider's reason and no code", err)
		}
		if len(files(t, dir)) != 0 {
			t.Error("a failed Create left files")
		}
	})
	t.Run("ErrSlotDoesNotOpen", func(t *testing.T) {
		liar := newMachine(keyring.KindTPM)
		liar.lies = true
		if _, _, err := keyring.Create(t.TempDir(), liar); err == nil {
			t.Error("a keyring was made with a slot that opens to another key")
		}
	})
}

func foundIn(t testing.TB, dir string, secret []byte) bool {
	t.Helper()
	armoured := pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: secret})
	armoured = bytes.Split(armoured, []byte("\n"))[1]
	for _, data := range files(t, dir) {
		if strings.Contains(data, string(secret)) || strings.Contains(data, string(armoured[:len(armoured)-4])) {
			return true
		}
	}
	return false
}

func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}
