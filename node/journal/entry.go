package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"

	"relais/node/label"
)

// SaltSize is the length of an entry's salt in octets.
const SaltSize = 32

// version is the first element of the public part, so that a later format can
// stand in the same tree.
const version = 1

// Entry is one line of the journal as it is kept: what happened, when, by whom
// and on what, and the sealed personal part if there is one. Entries are
// numbered from 0; the number is the leaf's place in the tree and is not in the
// leaf.
type Entry struct {
	At      time.Time // cut to the millisecond
	Kind    Kind
	Actor   string // id text of who did it, or "kiosque" or "machine"
	Subject string // id text of what it is about; may be empty
	// Person is whose key seals the personal part; zero when there is none.
	Person [16]byte
	// Public is canonical CBOR, without personal data.
	Public []byte
	// MAC is HMAC-SHA-256(salt, label ‖ canonical personal part); zero without one. The
	// salt makes it say nothing to who cannot open Sealed.
	MAC [sha256.Size]byte
	// Sealed holds the salt and the personal part under the person's key; nil
	// without one. Once her key is destroyed it is noise that still verifies.
	Sealed []byte
}

// public is the public part of a leaf, as CBOR writes it.
type public struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	At      int64 // Unix milliseconds
	Kind    string
	Actor   string
	Subject string
	Person  []byte // 16 octets, or empty
	Public  []byte
	Sealed  []byte // SHA-256 of the sealed part, or empty
}

// Leaf returns what the tree commits to: MAC ‖ label ‖ public part. The public part
// holds SHA-256 of the sealed part, so that who has no key still notices any
// flipped octet of it.
func (e Entry) Leaf() ([]byte, error) {
	p := public{
		Version: version, At: e.At.UnixMilli(), Kind: string(e.Kind),
		Actor: e.Actor, Subject: e.Subject, Person: []byte{}, Public: e.Public, Sealed: []byte{},
	}
	if e.Public == nil {
		p.Public = []byte{}
	}
	if e.Person != [16]byte{} {
		p.Person = e.Person[:]
	}
	if e.Sealed != nil {
		digest := sha256.Sum256(e.Sealed)
		p.Sealed = digest[:]
	}
	text, err := Encode(p)
	if err != nil {
		return nil, fmt.Errorf("journal entry of kind %s: %w", e.Kind, err)
	}
	return slices.Concat(e.MAC[:], []byte(label.Leaf), text), nil
}

// MAC binds a canonical personal part to an entry by its salt.
func MAC(salt [SaltSize]byte, personal []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, salt[:])
	h.Write([]byte(label.Personal))
	h.Write(personal)
	return [sha256.Size]byte(h.Sum(nil))
}

var encoding = func() cbor.EncMode {
	o := cbor.CoreDetEncOptions() // RFC 8949 §4.2.1
	o.IndefLength = cbor.IndefLengthForbidden
	mode, err := o.EncMode()
	if err != nil {
		panic(err) // the options are constant
	}
	return mode
}()

// Encode writes v in canonical CBOR (RFC 8949 §4.2.1): one value, one encoding.
func Encode(v any) ([]byte, error) { return encoding.Marshal(v) }
