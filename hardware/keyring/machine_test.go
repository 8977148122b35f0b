package keyring_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"relais/hardware/keyring"
)

// machine is a provider that wraps with its own random mask, and fails as told.
// The real ones are tested with real parts beside them.
type machine struct {
	kind  keyring.Kind
	mask  []byte
	kek   []byte // as seen by Wrap
	pkcs8 []byte

	handed [][]byte // the KEK as Wrap was given it and Unwrap gave it out: others' octets

	fails      error // of Wrap
	lies       bool  // Unwrap returns another key
	noIdentity error // of LoadIdentity
	closed     bool
}

func newMachine(kind keyring.Kind) *machine {
	m := &machine{kind: kind, mask: make([]byte, 32), pkcs8: newPKCS8()}
	rand.Read(m.mask)
	return m
}

// made is one hub, made once for all the tests that only need a folder of their
// own: each Create pays for Argon2id.
var made = sync.OnceValue(func() (hub struct {
	machine machine
	dir     string
	k       *keyring.Keyring
	code    keyring.RecoveryCode
},
) {
	m := newMachine(keyring.KindTPM)
	var err error
	if hub.dir, err = os.MkdirTemp("", "keyring"); err == nil {
		hub.k, hub.code, err = keyring.Create(hub.dir, m)
	}
	if err != nil {
		panic(err)
	}
	hub.machine = *m
	return hub
})

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(made().dir)
	os.Exit(code)
}

// existing returns a copy of that hub, its machine included.
func existing(t testing.TB) (string, *machine) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "hub")
	if err := os.CopyFS(dir, os.DirFS(made().dir)); err != nil {
		t.Fatal(err)
	}
	m := made().machine
	return dir, &m
}

func newPKCS8() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return der
}

func (m *machine) Kind() keyring.Kind { return m.kind }

func (m *machine) Wrap(kek []byte) ([]byte, error) {
	if m.fails != nil {
		return nil, m.fails
	}
	m.kek = bytes.Clone(kek)
	m.handed = append(m.handed, kek)
	return append(bytes.Clone(m.mask[:8]), m.xor(kek)...), nil
}

func (m *machine) Unwrap(blob []byte) ([]byte, error) {
	if len(blob) != 40 || !bytes.Equal(blob[:8], m.mask[:8]) {
		return nil, errors.New("sealed on another machine")
	}
	kek := m.xor(blob[8:])
	if m.lies {
		kek[0] ^= 1
	}
	m.handed = append(m.handed, kek)
	return kek, nil
}

func (m *machine) xor(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] ^= m.mask[i]
	}
	return out
}

func (m *machine) NewIdentity() ([]byte, error) { return []byte("identity"), nil }

func (m *machine) LoadIdentity(blob []byte) (crypto.Signer, error) {
	if m.noIdentity != nil {
		return nil, m.noIdentity
	}
	if string(blob) != "identity" {
		return nil, errors.New("blob altered")
	}
	key, err := x509.ParsePKCS8PrivateKey(m.pkcs8)
	if err != nil {
		return nil, err
	}
	return key.(*ecdsa.PrivateKey), nil
}

func (m *machine) Close() error { m.closed = true; return nil }
