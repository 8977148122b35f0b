package agent

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"

	"relais/hardware/keyring"
)

// identity is the signing key that stays loaded: one, for a hub has one and a
// TPM little room. A request carries the key's blob each time, so that an agent
// that was restarted, or served another hub meanwhile, only loads it again.
type identity struct {
	blob   []byte
	signer crypto.Signer // nil when none is loaded
}

// load makes the key of a blob the one that is loaded.
func (k *identity) load(p keyring.Provider, blob []byte) error {
	if k.signer != nil && bytes.Equal(k.blob, blob) {
		return nil
	}
	if c, ok := k.signer.(io.Closer); ok { // a TPM's, which takes a place there
		if err := c.Close(); err != nil {
			return err
		}
	}
	k.signer = nil
	signer, err := p.LoadIdentity(blob)
	if err == nil {
		k.blob, k.signer = bytes.Clone(blob), signer
	}
	return err
}

// public returns the public key of a blob, as SubjectPublicKeyInfo.
func (k *identity) public(p keyring.Provider, blob []byte) ([]byte, error) {
	if err := k.load(p, blob); err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(k.signer.Public())
}

func (k *identity) sign(p keyring.Provider, blob, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("%w: digest of %d octets, not %d", ErrMalformed, len(digest), sha256.Size)
	}
	if err := k.load(p, blob); err != nil {
		return nil, err
	}
	return k.signer.Sign(nil, digest, crypto.SHA256)
}
