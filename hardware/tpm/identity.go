package tpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/google/go-tpm/tpm2"
)

// identityTemplate is a P-256 key that the TPM makes, never gives, and signs
// SHA-256 digests with.
var identityTemplate = tpm2.TPMTPublic{
	Type:    tpm2.TPMAlgECC,
	NameAlg: tpm2.TPMAlgSHA256,
	ObjectAttributes: tpm2.TPMAObject{
		FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true,
		UserWithAuth: true, NoDA: true, SignEncrypt: true,
	},
	Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{
		CurveID: tpm2.TPMECCNistP256,
		Scheme: tpm2.TPMTECCScheme{
			Scheme:  tpm2.TPMAlgECDSA,
			Details: tpm2.NewTPMUAsymScheme(tpm2.TPMAlgECDSA, &tpm2.TPMSSigSchemeECDSA{HashAlg: tpm2.TPMAlgSHA256}),
		},
	}),
}

// NewIdentity makes a signing key that cannot leave this TPM.
func (p *Provider) NewIdentity() (made []byte, err error) {
	err = p.do("make identity", func() error {
		r, err := p.newRoot()
		if err != nil {
			return err
		}
		defer p.release(r)
		made, err = p.create(r, plain(), identityTemplate, nil)
		return err
	})
	return made, err
}

// LoadIdentity loads a key that NewIdentity made, and keeps it loaded: signing
// is then one command.
func (p *Provider) LoadIdentity(made []byte) (crypto.Signer, error) {
	b, err := parseBlob(made)
	if err != nil {
		return nil, explain("load identity", err)
	}
	object, err := unmarshalPublic(b.Public)
	if err != nil {
		return nil, explain("load identity", err)
	}
	public, err := ecdsaPublic(object.public)
	if err != nil {
		return nil, explain("load identity", err)
	}
	k := &identity{p: p, blob: b, public: public}
	if err := p.do("load identity", k.load); err != nil {
		return nil, err
	}
	return k, nil
}

// ecdsaPublic reads a P-256 point, and makes sure that it is one.
func ecdsaPublic(public tpm2.TPMTPublic) (*ecdsa.PublicKey, error) {
	point, err := public.Unique.ECC()
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	x, y := new(big.Int).SetBytes(point.X.Buffer), new(big.Int).SetBytes(point.Y.Buffer)
	if x.BitLen() > 256 || y.BitLen() > 256 {
		return nil, ErrAltered
	}
	octets := make([]byte, 65)
	octets[0] = 4 // uncompressed
	x.FillBytes(octets[1:33])
	y.FillBytes(octets[33:])
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), octets)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrAltered, err)
	}
	return key, nil
}

// identity is a loaded signing key. It satisfies crypto.Signer, and is safe for
// concurrent use.
type identity struct {
	p      *Provider
	blob   blob
	public *ecdsa.PublicKey

	handle     tpm2.NamedHandle // guarded by p.mu
	connection int              // the one it is loaded on; guarded by p.mu
}

// Public returns the *ecdsa.PublicKey.
func (k *identity) Public() crypto.PublicKey { return k.public }

// Sign signs a SHA-256 digest and returns ASN.1 DER. The random source is the
// TPM's own; nil options mean SHA-256, as go-cose has it. A key that the TPM lost
// when it restarted is loaded again. Nothing is returned that does not verify.
func (k *identity) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != crypto.SHA256 {
		return nil, fmt.Errorf("TPM: sign: this key signs SHA-256, not %v", opts.HashFunc())
	}
	if len(digest) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("TPM: sign: digest of %d octets, not %d", len(digest), crypto.SHA256.Size())
	}
	var signature []byte
	err := k.p.do("sign", func() (err error) {
		signature, err = k.sign(digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !ecdsa.VerifyASN1(k.public, digest, signature) {
		return nil, errors.New("TPM: sign: the signature does not verify")
	}
	return signature, nil
}

func (k *identity) sign(digest []byte) ([]byte, error) {
	if k.connection == k.p.connections {
		signature, err := k.command(digest)
		if !isGone(err) {
			return signature, err
		}
		k.p.verified = root{} // perhaps the TPM was cleared meanwhile
	}
	if err := k.load(); err != nil {
		return nil, err
	}
	return k.command(digest)
}

// load makes the key usable on the connection there is. It is one operation, or
// the beginning of one.
func (k *identity) load() error {
	r, err := k.p.pinnedRoot(k.blob)
	if err != nil {
		return err
	}
	defer k.p.release(r)
	if k.handle, err = k.p.load(k.blob, r, plain()); err != nil {
		return err
	}
	k.connection = k.p.connections
	k.p.kept = append(k.p.kept, k.handle.Handle)
	return nil
}

// Close unloads the key, to make room in a TPM that holds three. It is not the
// end: Sign loads it again.
func (k *identity) Close() error {
	k.p.mu.Lock()
	defer k.p.mu.Unlock()
	if k.connection != k.p.connections || k.p.wire.conn == nil {
		return nil // it went with its connection
	}
	k.connection = 0
	k.p.kept = slices.DeleteFunc(k.p.kept, func(h tpm2.TPMHandle) bool { return h == k.handle.Handle })
	k.p.flush(k.handle.Handle)
	return nil
}

func (k *identity) command(digest []byte) ([]byte, error) {
	signed, err := tpm2.Sign{
		KeyHandle:  tpm2.AuthHandle{Handle: k.handle.Handle, Name: k.handle.Name, Auth: plain()},
		Digest:     tpm2.TPM2BDigest{Buffer: digest},
		InScheme:   tpm2.TPMTSigScheme{Scheme: tpm2.TPMAlgNull},
		Validation: tpm2.TPMTTKHashCheck{Tag: tpm2.TPMSTHashCheck, Hierarchy: tpm2.TPMRHNull},
	}.Execute(&k.p.wire)
	if err != nil {
		return nil, err
	}
	ec, err := signed.Signature.Signature.ECDSA()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct{ R, S *big.Int }{
		new(big.Int).SetBytes(ec.SignatureR.Buffer), new(big.Int).SetBytes(ec.SignatureS.Buffer),
	})
}

// isGone tells whether the TPM no longer knows the handle: it restarted, or
// another program flushed it.
func isGone(err error) bool {
	return errors.Is(err, tpm2.TPMRCHandle) || errors.Is(err, tpm2.TPMRCReferenceH0)
}
