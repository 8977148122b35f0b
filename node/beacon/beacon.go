// Package beacon is the sign of life that each hub sends through its territory:
// who it is, when it spoke, and which hubs it hears. From it every hub knows who
// hears whom, and how long news takes.
//
// A beacon is no record: it is kept nowhere, missed without harm, and replaced by
// the next. It is signed by the hub's witness key, which costs no TPM, since it
// passes through the hands of others.
package beacon

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"relais/node/id"
	"relais/node/label"
	"relais/node/territory"
)

const (
	version = 1
	// MaxIndex is the highest roster index that a beacon names: of a hub above it,
	// nobody is told whether it is heard.
	MaxIndex = 2047
	// MaxOctets is the longest beacon.
	MaxOctets = fixedOctets + (MaxIndex+1)/8

	headOctets  = 1 + id.Size + 8 + 4 // version, hub, time, roster version
	fixedOctets = headOctets + ed25519.SignatureSize
)

// Why octets are no beacon that counts.
var (
	ErrFormat    = errors.New("not a beacon")
	ErrSignature = errors.New("the beacon is not signed by the hub that it names")
)

// Beacon is what a hub says of itself.
type Beacon struct {
	Hub    territory.HubID
	At     time.Time // by its own clock; UTC, whole milliseconds
	Roster uint32    // the version it holds
	// Hears are the roster indexes of the hubs it hears, ascending, its own left
	// out, none above MaxIndex.
	Hears []uint16
}

// Signer signs by a hub's witness key, Ed25519.
type Signer interface {
	Sign(text []byte) ([]byte, error)
}

// Sign encodes and signs a beacon:
//
//	version 1 ‖ hub 16 ‖ time ms 8 ‖ roster 4 ‖ bits of the indexes heard ‖ Ed25519 signature 64
//
// Numbers are big-endian. Bit i of octet n (the lowest is 0) is index 8n+i; no
// last octet is zero, so that a beacon has one form. What is signed is label ‖
// territory ‖ 0 ‖ all that is before the signature.
func (b Beacon) Sign(of territory.Code, key Signer) ([]byte, error) {
	wire := make([]byte, 0, MaxOctets)
	wire = append(wire, version)
	wire = append(wire, b.Hub[:]...)
	wire = binary.BigEndian.AppendUint64(wire, uint64(b.At.UnixMilli()))
	wire = binary.BigEndian.AppendUint32(wire, b.Roster)
	wire = append(wire, bits(b.Hears)...)
	signature, err := key.Sign(signed(of, wire))
	return append(wire, signature...), err
}

func signed(of territory.Code, text []byte) []byte {
	return slices.Concat([]byte(label.Beacon), []byte(of), []byte{0}, text)
}

func bits(indexes []uint16) []byte {
	var set []byte
	for _, i := range indexes {
		if i > MaxIndex {
			continue
		}
		if n := int(i/8) + 1; n > len(set) {
			set = append(set, make([]byte, n-len(set))...)
		}
		set[i/8] |= 1 << (i % 8)
	}
	return set
}

// Parse reads a beacon, whose signature is still to be verified. The error wraps
// ErrFormat.
func Parse(wire []byte) (b Beacon, err error) {
	switch {
	case len(wire) < fixedOctets || len(wire) > MaxOctets:
		return b, fmt.Errorf("%w: %d octets", ErrFormat, len(wire))
	case wire[0] != version:
		return b, fmt.Errorf("%w: version %d", ErrFormat, wire[0])
	}
	set := wire[headOctets : len(wire)-ed25519.SignatureSize]
	if n := len(set); n > 0 && set[n-1] == 0 {
		return b, fmt.Errorf("%w: a zero ends the set", ErrFormat)
	}
	copy(b.Hub[:], wire[1:])
	ms := binary.BigEndian.Uint64(wire[1+id.Size:])
	if ms > uint64(lastTime.UnixMilli()) {
		return b, fmt.Errorf("%w: dated after %d", ErrFormat, lastTime.Year())
	}
	b.At = time.UnixMilli(int64(ms)).UTC()
	b.Roster = binary.BigEndian.Uint32(wire[1+id.Size+8:])
	for n, octet := range set {
		for i := range 8 {
			if octet&(1<<i) != 0 {
				b.Hears = append(b.Hears, uint16(8*n+i))
			}
		}
	}
	return b, nil
}

// lastTime bounds what a beacon is dated, so that every sum with it holds.
var lastTime = time.Date(2999, 12, 31, 0, 0, 0, 0, time.UTC)

// Verify tells whether a hub signed the octets. key is its witness key in the
// roster, 32 octets. The error is ErrSignature.
func Verify(wire []byte, of territory.Code, key []byte) error {
	end := len(wire) - ed25519.SignatureSize
	if len(key) != ed25519.PublicKeySize || end < headOctets || !ed25519.Verify(key, signed(of, wire[:end]), wire[end:]) {
		return ErrSignature
	}
	return nil
}
