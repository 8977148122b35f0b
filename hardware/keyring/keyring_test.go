package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"relais/hardware/keyring"
	"relais/node/seal"
	"relais/node/territory"
)

var place = seal.Place{Table: "helpers", Row: "a_1", Column: "name", Version: 1}

// create makes a keyring in a fresh folder.
func create(t testing.TB, p keyring.Provider) (string, *keyring.Keyring, keyring.RecoveryCode) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hub")
	k, code, err := keyring.Create(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	return dir, k, code
}

func sealed(t testing.TB, k *keyring.Keyring, plain string) []byte {
	t.Helper()
	c, err := k.Seal(seal.PurposeHelper, place, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustOpen(t testing.TB, k *keyring.Keyring, c []byte, want string) {
	t.Helper()
	if got, err := k.Open(seal.PurposeHelper, place, c); err != nil || string(got) != want {
		t.Errorf("Open = %q, %v; want %q", got, err, want)
	}
}

func mustSign(t testing.TB, s crypto.Signer) {
	t.Helper()
	digest := sha256.Sum256([]byte("fait"))
	signature, err := s.Sign(rand.Reader, digest[:], nil)
	if err != nil || !ecdsa.VerifyASN1(s.Public().(*ecdsa.PublicKey), digest[:], signature) {
		t.Errorf("the identity does not sign: %v", err)
	}
}

func TestCreateThenOpen(t *testing.T) {
	m := newMachine(keyring.KindTPM)
	dir, k, _ := create(t, m)
	c := sealed(t, k, "Camille")
	tag := k.Tag(seal.PurposeCredential, []byte("camille"))
	mustSign(t, k.Identity())

	again, err := keyring.Open(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	mustOpen(t, again, c, "Camille")
	mustSign(t, again.Identity())
	if again.Tag(seal.PurposeCredential, []byte("camille")) != tag {
		t.Error("a tag changed over a restart")
	}
	if !again.Identity().Public().(*ecdsa.PublicKey).Equal(k.Identity().Public()) {
		t.Error("the identity changed over a restart")
	}
	if again.Mended() != nil {
		t.Errorf("Mended() = %v on whole files", again.Mended())
	}
	if err := again.Close(); err != nil || !m.closed {
		t.Errorf("Close() = %v, provider closed: %v", err, m.closed)
	}
}

func TestAssurance(t *testing.T) {
	for kind, want := range map[keyring.Kind]territory.Assurance{
		keyring.KindTPM: territory.AssuranceTPM, keyring.KindSoftware: territory.AssuranceSoftware,
	} {
		dir, k, _ := create(t, newMachine(kind))
		if k.Assurance() != want {
			t.Errorf("%s: Assurance() = %q, want %q", kind, k.Assurance(), want)
		}
		if pinned, err := keyring.Pinned(dir); err != nil || pinned != kind {
			t.Errorf("Pinned() = %q, %v; want %q", pinned, err, kind)
		}
	}
}

func TestPurposesAreApart(t *testing.T) {
	k := made().k
	if _, err := k.Open(seal.PurposeSecret, place, sealed(t, k, "Camille")); !errors.Is(err, seal.ErrAltered) {
		t.Errorf("another purpose opened it: %v", err)
	}
	if k.Tag(seal.PurposeHelper, []byte("x")) == k.Tag(seal.PurposeSecret, []byte("x")) {
		t.Error("two purposes give one tag")
	}
}

func TestKeyringsAreApart(t *testing.T) {
	a := made().k
	_, b, _ := create(t, newMachine(keyring.KindTPM))
	if _, err := b.Open(seal.PurposeHelper, place, sealed(t, a, "Camille")); err == nil {
		t.Error("one hub opened what another sealed")
	}
}

func TestConcurrentUse(t *testing.T) {
	k := made().k
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			at := seal.Place{Table: "t", Row: fmt.Sprint(i)}
			for purpose := range 4 {
				p := seal.Purpose(fmt.Sprint(purpose))
				c, _ := k.Seal(p, at, []byte("x"))
				if _, err := k.Open(p, at, c); err != nil {
					t.Error(err)
				}
				k.Tag(p, []byte("x"))
			}
		})
	}
	group.Wait()
}
