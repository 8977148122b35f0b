package record

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"relais/node/territory"

	"github.com/veraison/go-cose"
)

// Sign returns the signature of a payload made by Encode, low-S. It may take as
// long as the key takes. The result is verified before it is returned: a key that
// signs wrongly is an error here rather than a record nobody accepts.
func Sign(key crypto.Signer, code territory.Code, hub territory.HubID, payload []byte) ([signatureOctets]byte, error) {
	var signature [signatureOctets]byte
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return signature, fmt.Errorf("sign record: key of type %T", key.Public())
	}
	signer, err := cose.NewSigner(cose.AlgorithmES256, lowS{key})
	if err != nil {
		return signature, fmt.Errorf("sign record: %w", err)
	}
	msg := cose.NewSign1Message()
	msg.Headers.Protected.SetAlgorithm(cose.AlgorithmES256)
	msg.Headers.Protected[cose.HeaderLabelKeyID] = hub[:]
	msg.Payload = payload
	if err := msg.Sign(rand.Reader, externalAAD(code), signer); err != nil {
		return signature, fmt.Errorf("sign record: %w", err)
	}
	wire, err := msg.MarshalCBOR()
	if err != nil {
		return signature, fmt.Errorf("sign record: %w", err)
	}
	e, err := Parse(wire)
	if err != nil {
		return signature, fmt.Errorf("sign record: %w", err)
	}
	if err := e.Verify(public); err != nil {
		return signature, fmt.Errorf("sign record: %w", err)
	}
	return e.Signature, nil
}

// lowS is a P-256 key whose signatures are low-S. It also names the hash: go-cose
// gives no options, and a key in a TPM needs them.
type lowS struct{ crypto.Signer }

func (l lowS) Sign(random io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	der, err := l.Signer.Sign(random, digest, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) > 0 {
		return nil, errors.New("the key returned no ASN.1 signature")
	}
	if sig.S.Cmp(halfOrder) > 0 {
		sig.S.Sub(order, sig.S)
	}
	return asn1.Marshal(sig)
}
