package tpm

import (
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// sealedTemplate is an object that holds a secret: bound to this TPM and this
// root, without password, outside the dictionary-attack rule.
var sealedTemplate = tpm2.TPMTPublic{
	Type:             tpm2.TPMAlgKeyedHash,
	NameAlg:          tpm2.TPMAlgSHA256,
	ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true, NoDA: true},
}

const (
	nonceSize = 16 // of our sessions, in octets
	aesBits   = 128
)

// Wrap seals the KEK under the TPM's storage root key, which it pins. The KEK
// crosses the bus encrypted.
func (p *Provider) Wrap(kek []byte) (wrapped []byte, err error) {
	err = p.do("seal", func() error {
		r, err := p.newRoot()
		if err != nil {
			return err
		}
		defer p.release(r)
		session, end, err := p.encrypted(r, tpm2.AESEncryption(aesBits, tpm2.EncryptIn))
		if err != nil {
			return err
		}
		defer end()
		wrapped, err = p.create(r, session, sealedTemplate, kek)
		return err
	})
	return wrapped, err
}

// Unwrap unseals what Wrap sealed. The KEK crosses the bus encrypted, to nobody
// but the TPM it was sealed by. Errors: those of this package, which say what to
// do.
func (p *Provider) Unwrap(wrapped []byte) (kek []byte, err error) {
	b, err := parseBlob(wrapped)
	if err != nil {
		return nil, explain("unseal", err)
	}
	err = p.do("unseal", func() error {
		r, err := p.pinnedRoot(b)
		if err != nil {
			return err
		}
		defer p.release(r)
		kek, err = p.unseal(b, r)
		return err
	})
	return kek, err
}

func (p *Provider) unseal(b blob, r root) ([]byte, error) {
	session, end, err := p.encrypted(r, tpm2.AESEncryption(aesBits, tpm2.EncryptOut))
	if err != nil {
		return nil, err
	}
	defer end()
	object, err := p.load(b, r, session)
	if err != nil {
		return nil, impostor(err)
	}
	defer p.flush(object.Handle)
	unsealed, err := tpm2.Unseal{
		ItemHandle: tpm2.AuthHandle{Handle: object.Handle, Name: object.Name, Auth: session},
	}.Execute(&p.wire)
	if err != nil {
		return nil, impostor(err)
	}
	return unsealed.OutData.Buffer, nil
}

// encrypted opens a session salted to the root's public area as we know it, so
// that nobody on the bus reads the parameter it encrypts. It is explicit, and its
// end must be called: go-tpm forgets to close a session made just in time when
// something fails, and a TPM holds three.
func (p *Provider) encrypted(r root, direction tpm2.AuthOption) (tpm2.Session, func() error, error) {
	return tpm2.HMACSession(&p.wire, tpm2.TPMAlgSHA256, nonceSize, tpm2.Salted(r.handle, r.public), direction)
}

// impostor says what a session that the other side cannot follow means: it does
// not hold the pinned root's private key.
func impostor(err error) error {
	if isOwnerAuth(err) {
		return fmt.Errorf("%w (%w)", ErrReplaced, err)
	}
	return err
}
