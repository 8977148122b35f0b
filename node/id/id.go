// Package id makes and writes the identifiers of Relais: random octets that say
// nothing, shown to people with a one-letter prefix and in Crockford's base 32
// (no I, L, O or U, so they survive being read aloud and copied by hand).
//
// Every noun has its own type, made from its own prefix, so that the compiler
// refuses a hub where a mandate is meant:
//
//	type hubKind struct{}
//	func (hubKind) Prefix() string { return "h" }
//	type HubID = id.ID[hubKind]
package id

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Size is the length of an identifier in octets.
const Size = 16

// Kind names a family of identifiers by its prefix, which is part of the shown
// form and checked on reading.
type Kind interface{ Prefix() string }

// ID is one identifier of family K. The zero value means "none".
type ID[K Kind] [Size]byte

// New returns a fresh random identifier.
func New[K Kind]() ID[K] {
	var i ID[K]
	rand.Read(i[:]) // never fails since Go 1.24
	return i
}

// Random returns a fresh random identifier of a named type, where the kind
// behind it is not in sight: id.Random[mandate.ID]().
func Random[T ~[Size]byte]() T {
	var octets [Size]byte
	rand.Read(octets[:]) // never fails since Go 1.24
	return T(octets)
}

// Parse reads the shown form, prefix included. Letters may be in either case.
func Parse[K Kind](s string) (ID[K], error) {
	var i ID[K]
	return i, i.UnmarshalText([]byte(s))
}

// String returns the shown form, such as m_7K3M9QXD4T2PHW8V57K3M9QXD4.
func (i ID[K]) String() string {
	var k K
	return k.Prefix() + "_" + Encode(i[:])
}

// IsZero tells whether i is "none".
func (i ID[K]) IsZero() bool { return i == ID[K]{} }

// MarshalText implements encoding.TextMarshaler.
func (i ID[K]) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *ID[K]) UnmarshalText(text []byte) error {
	var k K
	body, found := strings.CutPrefix(string(text), k.Prefix()+"_")
	if !found {
		return fmt.Errorf("identifier %.40q does not begin with %s_", text, k.Prefix())
	}
	b, err := Decode(body)
	if err != nil {
		return fmt.Errorf("identifier %.40q: %w", text, err)
	}
	if len(b) != Size {
		return fmt.Errorf("identifier %.40q holds %d octets, not %d", text, len(b), Size)
	}
	copy(i[:], b)
	return nil
}
