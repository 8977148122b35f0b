package soft_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/node/seal"
	"relais/node/territory"
)

var _ keyring.Provider = (*soft.Provider)(nil)

func init() { recoverywork.MemoryKiB = recoverywork.LightKiB }

var place = seal.Place{Table: "helpers", Row: "a_1", Column: "name", Version: 1}

func TestKeyring(t *testing.T) {
	dir := t.TempDir()
	k, _, err := keyring.Create(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal(seal.PurposeHelper, place, []byte("Camille"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := keyring.Open(dir, soft.New(dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(seal.PurposeHelper, place, sealed); err != nil || string(got) != "Camille" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if again.Assurance() != territory.AssuranceSoftware {
		t.Errorf("Assurance() = %q, want software", again.Assurance())
	}
	digest := sha256.Sum256([]byte("fait"))
	for name, opts := range map[string]crypto.SignerOpts{"nil options": nil, "SHA-256": crypto.SHA256} {
		signature, err := again.Identity().Sign(rand.Reader, digest[:], opts)
		if err != nil || !ecdsa.VerifyASN1(k.Identity().Public().(*ecdsa.PublicKey), digest[:], signature) {
			t.Errorf("%s: the identity does not sign: %v", name, err)
		}
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestUnwrapRefuses(t *testing.T) {
	kek := bytes.Repeat([]byte{7}, 32)
	wrapped := func(t *testing.T) (dir string, blob []byte) {
		t.Helper()
		dir = t.TempDir()
		blob, err := soft.New(dir).Wrap(kek)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(blob, kek) {
			t.Error("the slot holds the KEK in clear")
		}
		return dir, blob
	}
	for name, c := range map[string]struct {
		spoil func(path string) error
		want  string
	}{
		"ErrMissing":   {os.Remove, "missing: restore it"},
		"ErrExposed":   {func(path string) error { return os.Chmod(path, 0o640) }, "chmod 600"},
		"ErrTruncated": {func(path string) error { return os.Truncate(path, 31) }, "damaged"},
		"ErrTooLong":   {func(path string) error { return os.Truncate(path, 64) }, "damaged"},
		"ErrOtherKey":  {func(path string) error { return os.WriteFile(path, make([]byte, 32), 0o600) }, "not the file"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, blob := wrapped(t)
			if got, err := soft.New(dir).Unwrap(blob); err != nil || !bytes.Equal(got, kek) {
				t.Fatalf("before: %v", err)
			}
			if err := c.spoil(filepath.Join(dir, "software.key")); err != nil {
				t.Fatal(err)
			}
			if _, err := soft.New(dir).Unwrap(blob); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Unwrap = %v, want %q in it", err, c.want)
			}
			if name == "ErrExposed" {
				if _, err := soft.New(dir).Wrap(kek); !errors.Is(err, soft.ErrExposed) {
					t.Errorf("Wrap = %v, want ErrExposed", err)
				}
			}
		})
	}
	t.Run("ErrAltered", func(t *testing.T) {
		dir, blob := wrapped(t)
		blob[len(blob)-1] ^= 1
		if _, err := soft.New(dir).Unwrap(blob); err == nil {
			t.Error("an altered slot opened")
		}
	})
}

func TestKeyFileIsTheOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	if _, err := soft.New(dir).Wrap(make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "software.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("software.key: %v, %v; want mode 0600", info.Mode(), err)
	}
}

// FuzzLoadIdentity: whatever the blob, a key or an error.
func FuzzLoadIdentity(f *testing.F) {
	p := soft.New(f.TempDir())
	blob, err := p.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(blob)
	f.Add([]byte("0"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		if signer, err := p.LoadIdentity(blob); (signer == nil) == (err == nil) {
			t.Errorf("LoadIdentity = %v, %v", signer, err)
		}
	})
}

// TestRenew: a renewed key opens what it wrapped, the one before what it had, and
// Settle leaves the one that is needed.
func TestRenew(t *testing.T) {
	dir := t.TempDir()
	p := soft.New(dir)
	kek := bytes.Repeat([]byte{7}, 32)
	wrap := func() []byte {
		blob, err := p.Wrap(kek)
		if err != nil {
			t.Fatal(err)
		}
		return blob
	}
	opens := func(blob []byte) bool {
		got, err := p.Unwrap(blob)
		return err == nil && bytes.Equal(got, kek)
	}
	before := wrap()
	for range 2 { // the second finds the first's key, and keeps it
		if err := p.Renew(); err != nil {
			t.Fatal(err)
		}
	}
	after := wrap()
	if err := p.Renew(); err != nil || !opens(before) || !opens(after) {
		t.Fatalf("renewed: %v; the slot before opens: %v; the new one: %v", err, opens(before), opens(after))
	}
	os.Chmod(filepath.Join(dir, "software.next.key"), 0o644)
	if _, err := p.Unwrap(after); !errors.Is(err, soft.ErrExposed) {
		t.Errorf("the renewed key, exposed: %v, want ErrExposed", err)
	}
	os.Chmod(filepath.Join(dir, "software.next.key"), 0o600)
	if err := p.Settle(bytes.Repeat([]byte{1}, len(after))); err == nil || !opens(before) || !opens(after) {
		t.Errorf("settled for a slot that nothing opens: %v", err)
	}
	if err := p.Settle(before); err != nil || !opens(before) || opens(after) {
		t.Errorf("settled for the slot before: %v; it opens: %v; the new one: %v", err, opens(before), opens(after))
	}
	if err := p.Renew(); err != nil {
		t.Fatal(err)
	}
	after = wrap()
	for range 2 {
		if err := p.Settle(after); err != nil || opens(before) || !opens(after) {
			t.Errorf("settled for the new slot: %v; the one before opens: %v; it: %v", err, opens(before), opens(after))
		}
	}
}
