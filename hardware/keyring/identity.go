package keyring

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"

	"relais/node/seal"
)

var (
	identityPurpose = seal.Purpose("identity")
	identityPlace   = seal.Place{Table: "keyring", Row: "identity", Column: "sealed", Version: 1}
)

func (f *file) addIdentity(p Provider, kek []byte) (crypto.Signer, error) {
	keys := f.purposes(kek)
	defer keys.destroy()
	blob, err := p.NewIdentity()
	if err != nil {
		return nil, err
	}
	signer, err := p.LoadIdentity(blob)
	if err != nil {
		return nil, err
	}
	f.Identity.Sealed = keys.keys(identityPurpose).seal.Seal(keys.store, identityPlace, blob)
	f.Identity.Public, err = x509.MarshalPKIXPublicKey(signer.Public())
	return signer, err
}

// identity loads the signing key, and makes sure it is the one on record.
func (f *file) identity(p Provider, keys *purposes) (crypto.Signer, error) {
	blob, err := keys.keys(identityPurpose).seal.Open(keys.store, identityPlace, f.Identity.Sealed)
	if err != nil {
		return nil, err
	}
	signer, err := p.LoadIdentity(blob)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(public, f.Identity.Public) {
		return nil, errors.New("the key that was loaded is not this hub's")
	}
	return signer, nil
}
