package node

import "relais/node/seal"

// Sealer encrypts what must not be read from a stolen disk. It is an interface
// because the key comes from hardware; hardware/keyring provides it.
type Sealer interface {
	// Seal encrypts plaintext under the purpose's key, bound to its place.
	Seal(purpose seal.Purpose, at seal.Place, plaintext []byte) ([]byte, error)
	// Open decrypts what Seal made, for the same purpose and place.
	Open(purpose seal.Purpose, at seal.Place, sealed []byte) ([]byte, error)
	// Tag is a keyed hash for looking up a sealed value: HMAC-SHA-256.
	Tag(purpose seal.Purpose, data []byte) [32]byte
}
