package record

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"relais/node/label"
	"relais/node/territory"
)

// The envelope is COSE_Sign1 (RFC 9052 §4.2) with every octet but four fields
// fixed:
//
//	d2 84                  tag 18, array of 4
//	   55 a2 01 26 04 50   protected: {1 (alg): -7 (ES256), 4 (kid): 16 octets}
//	      <hub 16>
//	   a0                  unprotected: empty
//	   58 <n> <payload n>  24 <= n <= maxPayload
//	   58 40 <r 32><s 32>  s at most half the order of P-256
const (
	protectedOctets = 5 + 16
	signatureOctets = 64
	minPayload      = 24 // below, its length would have another head
	maxPayload      = MaxOctets - 93
)

var (
	opening       = []byte{0xd2, 0x84, 0x55, 0xa2, 0x01, 0x26, 0x04, 0x50}
	beforePayload = []byte{0xa0, 0x58}
	beforeSig     = []byte{0x58, signatureOctets}

	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
)

// ErrNotRecord means that the octets are not the one accepted form of any record.
var ErrNotRecord = errors.New("not a record")

// ErrSignature means that the author did not sign this.
var ErrSignature = errors.New("the signature does not hold")

// Envelope is a record as it was read: its meaning, and the octets it is made of.
type Envelope struct {
	Record
	Hash      Hash // chain hash
	Payload   []byte
	Signature [signatureOctets]byte
}

// Parse reads a record's wire form. It accepts exactly one encoding, byte for
// byte, and fails with ErrNotRecord otherwise. It does not check the signature:
// see Verify.
func Parse(wire []byte) (*Envelope, error) {
	e, err := parse(wire)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRecord, err)
	}
	return e, nil
}

func parse(wire []byte) (*Envelope, error) {
	if len(wire) > MaxOctets {
		return nil, fmt.Errorf("%d octets; the limit is %d", len(wire), MaxOctets)
	}
	rest := bytes.Clone(wire)
	next := func(n int) []byte {
		if n > len(rest) {
			rest = nil
			return nil
		}
		part := rest[:n:n]
		rest = rest[n:]
		return part
	}
	opened := bytes.Equal(next(len(opening)), opening)
	kid := next(16)
	unprotected := bytes.Equal(next(len(beforePayload)), beforePayload)
	length := next(1)
	if !opened || !unprotected || len(length) == 0 || length[0] < minPayload {
		return nil, errSpelling
	}
	payload := next(int(length[0]))
	signed := bytes.Equal(next(len(beforeSig)), beforeSig)
	signature := next(signatureOctets)
	if !signed || len(signature) == 0 || len(rest) > 0 {
		return nil, errSpelling
	}
	e := &Envelope{Payload: payload, Signature: [signatureOctets]byte(signature)}
	if err := checkLowS(signature); err != nil {
		return nil, err
	}
	var err error
	if e.Record, err = decodePayload(territory.HubID(kid), payload); err != nil {
		return nil, err
	}
	e.Hash = ChainHash(e.Hub, payload)
	return e, nil
}

// checkLowS refuses the second of the two signatures that ECDSA always allows.
func checkLowS(signature []byte) error {
	if new(big.Int).SetBytes(signature[32:]).Cmp(halfOrder) > 0 {
		return fmt.Errorf("%w: s above half the order", errSpelling)
	}
	return nil
}

// Wire returns the wire form.
func (e *Envelope) Wire() []byte { return Assemble(e.Hub, e.Payload, e.Signature) }

// Assemble puts a wire form together from what a store keeps.
func Assemble(hub territory.HubID, payload []byte, signature [signatureOctets]byte) []byte {
	wire := make([]byte, 0, 93+len(payload))
	wire = append(wire, opening...)
	wire = append(wire, hub[:]...)
	wire = append(wire, beforePayload...)
	wire = append(wire, byte(len(payload)))
	wire = append(wire, payload...)
	wire = append(wire, beforeSig...)
	return append(wire, signature[:]...)
}

// Verify checks the signature with the author's key. The caller has taken the
// key from the roster by e.Hub, and compares e.Territory with its own. It fails
// with ErrSignature.
func (e *Envelope) Verify(key *ecdsa.PublicKey) error {
	digest := sha256.Sum256(toBeSigned(e.Territory, e.Hub, e.Payload))
	r := new(big.Int).SetBytes(e.Signature[:32])
	s := new(big.Int).SetBytes(e.Signature[32:])
	if key == nil || key.Curve != elliptic.P256() || !ecdsa.Verify(key, digest[:], r, s) {
		return ErrSignature
	}
	return nil
}

// ChainHash is SHA-256(label ‖ protected header ‖ payload): never the signature.
func ChainHash(hub territory.HubID, payload []byte) Hash {
	header := protectedHeader(hub)
	return label.Chain.Sum(header[:], payload)
}

func protectedHeader(hub territory.HubID) (header [protectedOctets]byte) {
	copy(header[:], opening[3:])
	copy(header[5:], hub[:])
	return header
}

// externalAAD binds the signature to Relais and to one territory.
func externalAAD(code territory.Code) []byte { return []byte(string(label.Record) + string(code)) }

// toBeSigned is the Sig_structure of RFC 9052 §4.4.
func toBeSigned(code territory.Code, hub territory.HubID, payload []byte) []byte {
	header := protectedHeader(hub)
	aad := externalAAD(code)
	b := make([]byte, 0, 64+len(aad)+len(payload))
	b = append(b, 0x84, 0x6a)
	b = append(b, "Signature1"...)
	b = append(b, 0x40|protectedOctets)
	b = append(b, header[:]...)
	b = appendBytes(b, aad)
	return appendBytes(b, payload)
}

// appendBytes appends a CBOR byte string of at most 255 octets.
func appendBytes(b, s []byte) []byte {
	if len(s) < 24 {
		b = append(b, 0x40|byte(len(s)))
	} else {
		b = append(b, 0x58, byte(len(s)))
	}
	return append(b, s...)
}
