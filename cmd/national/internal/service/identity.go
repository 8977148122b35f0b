package service

import (
	"crypto/ecdsa"
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

// keyFile holds the identity, PEM PKCS #8, mode 0600. A software key will do for
// a reference service; a real one keeps it in an HSM.
const keyFile = "identity.key"

// ErrExists means that the folder already has an identity.
var ErrExists = errors.New("the folder already has an identity")

// CreateIdentity makes the folder when it is not there, and in it a new P-256
// identity. It never replaces one: ErrExists.
func CreateIdentity(dir string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	err = writeOnce(dir, keyFile, text)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w: %s", ErrExists, filepath.Join(dir, keyFile))
	}
	return key, err
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
	path := filepath.Join(dir, keyFile)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s has mode %04o: others may read the identity; make it 0600", path, info.Mode().Perm())
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
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%s is not a P-256 key", path)
	}
	return key, nil
}

// HubIDOf is the identifier that follows from an identity.
func HubIDOf(key *ecdsa.PrivateKey) (territory.HubID, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return territory.HubIDOf(spki), err
}

// Entry is what the roster must say of this service.
func Entry(key *ecdsa.PrivateKey, index uint16, name, url string) (territory.National, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return territory.National{
		Index: index, ID: territory.HubIDOf(spki), Name: name, Identity: spki, URL: url,
	}, err
}
