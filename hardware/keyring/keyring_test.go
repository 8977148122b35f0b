package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"relais/hardware/keyring"
	"relais/node/fault"
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
