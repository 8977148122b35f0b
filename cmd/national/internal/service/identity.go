package service

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"relais/node/territory"
)

// The files of the keys, PEM PKCS #8, mode 0600: the identity, P-256, and the one
// that cosigns journals, Ed25519. Software keys will do for a reference service; a
// real one keeps them in an HSM.
const (
	keyFile     = "identity.key"
	witnessFile = "witness.key"
)

// ErrExists means that the folder already has an identity.
var ErrExists = errors.New("the folder already has an identity")

// CreateIdentity makes the folder when it is not there, and in it a new P-256
// identity. It never replaces one: ErrExists.
func CreateIdentity(dir string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return key, createKey(dir, keyFile, key)
}

// CreateWitness makes the key that cosigns journals, as CreateIdentity makes the
// identity.
func CreateWitness(dir string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return key, createKey(dir, witnessFile, key)
}

func createKey(dir, name string, key any) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	err = writeOnce(dir, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: %s", ErrExists, filepath.Join(dir, name))
	}
	return err
}

// writeOnce writes a new file that is whole or not there, and is still there
// after a power cut.
func writeOnce(dir, name string, content []byte) error {
	temporary, err := os.CreateTemp(dir, name+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	defer temporary.Close()
	if _, err := temporary.Write(content); err != nil { // mode 0600 by CreateTemp
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	// Link, not Rename: it fails where a file stands.
	if err := os.Link(temporary.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// LoadIdentity reads the folder's identity. It refuses a file that others may
// read.
func LoadIdentity(dir string) (*ecdsa.PrivateKey, error) {
	parsed, err := loadKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s is not a P-256 key", filepath.Join(dir, keyFile))
	}
	return key, nil
}

// LoadWitness reads the key that cosigns journals; nil where there is none.
func LoadWitness(dir string) (ed25519.PrivateKey, error) {
	parsed, err := loadKey(filepath.Join(dir, witnessFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is not an Ed25519 key", filepath.Join(dir, witnessFile))
	}
	return key, nil
}

func loadKey(path string) (any, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: others may read the key; make it 0600", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || len(rest) > 0 {
		return nil, fmt.Errorf("%s is not one PEM private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return parsed, nil
}

// HubIDOf is the identifier that follows from an identity.
func HubIDOf(key *ecdsa.PrivateKey) (territory.HubID, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return territory.HubIDOf(spki), err
}

// Entry is what the roster must say of this service.
func Entry(key *ecdsa.PrivateKey, witness ed25519.PrivateKey, index uint16, name, url string) (territory.National, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return territory.National{
		Index: index, ID: territory.HubIDOf(spki), Name: name, Identity: spki, URL: url,
		Witness: witness.Public().(ed25519.PublicKey),
	}, err
}
