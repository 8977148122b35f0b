package keyring_test

import (
	"crypto/ecdsa"
	"crypto/rand"
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

func TestRecovery(t *testing.T) {
	m := newMachine(keyring.KindTPM)
	dir, k, code := create(t, m)
	c := sealed(t, k, "Camille")
	typed, err := keyring.ParseRecoveryCode(strings.ToLower(code.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("machine lost", func(t *testing.T) {
		again, err := keyring.OpenWithRecovery(dir, nil, typed)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, again, c, "Camille")
		mustBeLost(t, again, k)
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("other machine", func(t *testing.T) {
		other := newMachine(keyring.KindTPM)
		other.noIdentity = errors.New("made by another TPM")
		again, err := keyring.OpenWithRecovery(dir, other, typed)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, again, c, "Camille")
		mustBeLost(t, again, k)
	})
	t.Run("same machine", func(t *testing.T) {
		again, err := keyring.OpenWithRecovery(dir, m, typed)
		if err != nil {
			t.Fatal(err)
		}
		mustOpen(t, again, c, "Camille")
		mustSign(t, again.Identity())
	})
	t.Run("ErrLocked wrong code", func(t *testing.T) {
		wrong := code
		wrong[3] ^= 1
		if _, err := keyring.OpenWithRecovery(dir, m, wrong); !errors.Is(err, keyring.ErrLocked) || !strings.Contains(err.Error(), "not the recovery code") {
			t.Errorf("a wrong code = %v, want ErrLocked that says so", err)
		}
	})
}

func mustBeLost(t *testing.T, k, before *keyring.Keyring) {
	t.Helper()
	if _, err := k.Identity().Sign(rand.Reader, make([]byte, 32), nil); !errors.Is(err, keyring.ErrNoIdentity) {
		t.Errorf("Sign after recovery = %v, want ErrNoIdentity", err)
	}
	if !before.Identity().Public().(*ecdsa.PublicKey).Equal(k.Identity().Public()) {
		t.Error("a recovered keyring does not know who the hub was")
	}
}
