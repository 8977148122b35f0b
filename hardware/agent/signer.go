package agent

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
)

// signer is an identity that the agent's provider holds. It satisfies
// crypto.Signer, and is safe for concurrent use.
type signer struct {
	client *Client
	blob   []byte
	public *ecdsa.PublicKey
}

// Public is the identity's public key.
func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign signs a SHA-256 digest; options may be nil. The signature is ASN.1 DER,
// and was verified.
func (s *signer) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != crypto.SHA256 {
		return nil, fmt.Errorf("seal agent: sign: the identity signs SHA-256, not %v", opts.HashFunc())
	}
	if len(digest) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("seal agent: sign: digest of %d octets, not %d", len(digest), crypto.SHA256.Size())
	}
	signature, err := s.client.call(request{Verb: verbSign, Data: s.blob, Digest: digest})
	if err != nil {
		return nil, err
	}
	if !ecdsa.VerifyASN1(s.public, digest, signature) {
		return nil, errors.New("seal agent: sign: the signature does not verify")
	}
	return signature, nil
}
