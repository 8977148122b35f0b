package keyring_test

import (
	"errors"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/node/fault"
)

func TestOpenRefuses(t *testing.T) {
	t.Run("ErrNone", func(t *testing.T) {
		if _, err := keyring.Open(t.TempDir(), newMachine(keyring.KindTPM)); !errors.Is(err, keyring.ErrNone) {
			t.Errorf("Open of an empty folder = %v, want ErrNone", err)
		}
	})
	t.Run("ErrLocked other machine", func(t *testing.T) {
		dir, _ := existing(t)
		mustBeLocked(t, dir, newMachine(keyring.KindTPM), "another machine")
	})
	t.Run("ErrLocked never silently software", func(t *testing.T) {
		dir, _ := existing(t)
		mustBeLocked(t, dir, newMachine(keyring.KindSoftware), `provider = "tpm"`)
	})
	t.Run("ErrLocked never silently TPM", func(t *testing.T) {
		dir, _, _ := create(t, newMachine(keyring.KindSoftware))
		mustBeLocked(t, dir, newMachine(keyring.KindTPM), `provider = "software"`)
	})
	t.Run("ErrLocked key of another keyring", func(t *testing.T) {
		dir, m := existing(t)
		m.lies = true
		mustBeLocked(t, dir, m, "not this keyring's")
	})
	t.Run("ErrLocked identity lost", func(t *testing.T) {
		dir, m := existing(t)
		m.noIdentity = errors.New("identity is gone")
		mustBeLocked(t, dir, m, "identity is gone")
	})
	t.Run("ErrLocked identity of another hub", func(t *testing.T) {
		dir, m := existing(t)
		m.pkcs8 = newPKCS8()
		mustBeLocked(t, dir, m, "not this hub's")
	})
}

func mustBeLocked(t *testing.T, dir string, p keyring.Provider, reason string) {
	t.Helper()
	k, err := keyring.Open(dir, p)
	if !errors.Is(err, keyring.ErrLocked) || !fault.Is(err, fault.Locked) || k != nil {
		t.Fatalf("Open = %v, want ErrLocked", err)
	}
	if !strings.Contains(err.Error(), reason) {
		t.Errorf("Open = %q, want the reason %q in it", err, reason)
	}
	if message := fault.Of(err).Message; !strings.Contains(message, "récupération") {
		t.Errorf("the person reads %q, which does not say what to do", message)
	}
}
