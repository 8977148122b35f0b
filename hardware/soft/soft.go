// Package soft guards a hub's key on a machine without a TPM, with a file.
//
// It is weaker, and every part of Relais says so: who copies the data folder,
// software.key included, has the hub. It keeps one thing of a TPM's: keyring.json
// alone, in a backup or on a mislaid disk, opens nothing.
package soft

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"relais/node/durable"

	"relais/hardware/keyring"
	"relais/node/seal"
)

// keyName is the file, in the data folder, that opens the software slot. While a
// keyring is rekeyed, the one that opens the new slot is beside it, until it takes
// its place: both are tried.
const (
	keyName  = "software.key"
	nextName = "software.next.key"
)

// What may be wrong with software.key, and what to do about it.
var (
	// ErrExposed means that others than its owner may read it.
	ErrExposed = &keyring.Reason{
		Key: "software-exposed", Text: "software.key may be read by others than its owner: chmod 600 it, and consider its key known to whoever had access",
		Message: "Le fichier software.key peut être lu par d’autres que son propriétaire.",
		Remedy:  "Rendez-le à lui seul (chmod 600), et tenez sa clé pour connue de quiconque a pu le lire.",
	}
	// ErrLost means that it is not there.
	ErrLost = &keyring.Reason{
		Key: "software-lost", Text: "software.key is missing: restore it beside keyring.json, or open the hub with its recovery code",
		Message: "Le fichier software.key, qui ouvre la clé de ce relais, a disparu.",
		Remedy:  "Restaurez-le depuis une sauvegarde, à côté de keyring.json, ou " + keyring.ByRecovery,
	}
	// ErrOtherKey means that it is damaged, or another hub's.
	ErrOtherKey = &keyring.Reason{
		Key: "software-other", Text: "software.key is damaged, or is not the file this keyring was made with",
		Message: "Le fichier software.key est abîmé, ou n’est pas celui de ce relais.",
		Remedy:  "Restaurez celui de ce relais depuis une sauvegarde, ou " + keyring.ByRecovery,
	}
)

// slotPlace binds the wrapped KEK to its use; the file is random, so that no
// store id is needed to tell two hubs apart.
var slotPlace = seal.Place{Table: "keyring", Row: string(keyring.KindSoftware), Column: "kek", Version: 1}

// Provider keeps a wrapping key in a file of mode 0600. It satisfies
// keyring.Provider and keyring.Renewer.
type Provider struct{ path, next string }

// New returns the provider of a data folder. It touches no file.
func New(dir string) *Provider {
	return &Provider{path: filepath.Join(dir, keyName), next: filepath.Join(dir, nextName)}
}

// Kind is keyring.KindSoftware.
func (p *Provider) Kind() keyring.Kind { return keyring.KindSoftware }

// Wrap seals the KEK under the newest key, and makes software.key when there is
// none.
func (p *Provider) Wrap(kek []byte) ([]byte, error) {
	key, err := readKey(p.next)
	if errors.Is(err, os.ErrNotExist) {
		key, err = readKey(p.path)
	}
	if errors.Is(err, os.ErrNotExist) {
		key, err = makeKey(p.path)
	}
	if err != nil {
		return nil, err
	}
	return key.Seal(seal.StoreID{}, slotPlace, kek), nil
}

// Renew puts a fresh key beside software.key, for Wrap: the one before may be
// known, by the same backup as the keyring. One that an earlier Renew left is not
// replaced, since a slot may need it.
func (p *Provider) Renew() error {
	_, err := readKey(p.next)
	if errors.Is(err, os.ErrNotExist) {
		_, err = makeKey(p.next)
	}
	return err
}

// Settle leaves the one key that opens blob, as software.key, and destroys the
// other.
func (p *Provider) Settle(blob []byte) error {
	if _, err := unwrap(p.next, blob); err == nil {
		return errors.Join(os.Rename(p.next, p.path), durable.SyncFolder(filepath.Dir(p.path)))
	}
	if _, err := unwrap(p.path, blob); err != nil {
		return err
	}
	if err := os.Remove(p.next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return durable.SyncFolder(filepath.Dir(p.path))
}

// Unwrap opens what Wrap sealed. Errors: ErrLost, ErrExposed,
// ErrOtherKey.
func (p *Provider) Unwrap(blob []byte) ([]byte, error) {
	kek, newer := unwrap(p.next, blob)
	if newer == nil {
		return kek, nil
	}
	kek, err := unwrap(p.path, blob)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w (%s)", ErrLost, p.path)
	}
	if err != nil && !errors.Is(newer, os.ErrNotExist) {
		err = errors.Join(newer, err)
	}
	return kek, err
}

func unwrap(path string, blob []byte) ([]byte, error) {
	key, err := readKey(path)
	if err != nil {
		return nil, err
	}
	kek, err := key.Open(seal.StoreID{}, slotPlace, blob)
	if err != nil {
		return nil, fmt.Errorf("%w (%s: %w)", ErrOtherKey, path, err)
	}
	return kek, nil
}

// makeKey makes the file, and reads it.
func makeKey(path string) (seal.Key, error) {
	secret := make([]byte, seal.KeySize)
	rand.Read(secret)
	defer clear(secret)
	if err := durable.Write(path, secret, 0o600); err != nil {
		return seal.Key{}, err
	}
	return readKey(path)
}

// readKey reads the file.
func readKey(path string) (seal.Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return seal.Key{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return seal.Key{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return seal.Key{}, fmt.Errorf("%s: %w", path, ErrExposed)
	}
	secret, err := io.ReadAll(io.LimitReader(f, seal.KeySize+1))
	defer clear(secret)
	if err != nil {
		return seal.Key{}, err
	}
	key, err := seal.NewKey(0, secret)
	if err != nil {
		return seal.Key{}, fmt.Errorf("%w (%s: %w)", ErrOtherKey, path, err)
	}
	return key, nil
}

// NewIdentity makes a P-256 key in memory, as PKCS #8. The keyring seals it.
func (p *Provider) NewIdentity() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

// LoadIdentity reads what NewIdentity made.
func (p *Provider) LoadIdentity(blob []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(blob)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || signer.Curve != elliptic.P256() {
		return nil, errors.New("identity: not a P-256 key")
	}
	return signer, nil
}

// Close does nothing: there is no device.
func (p *Provider) Close() error { return nil }
