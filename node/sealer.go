package node

import (
	"relais/node/internal/store"
	"relais/node/seal"
)

// Sealer encrypts what must not be read from a stolen disk. It is an interface
// because the key comes from hardware; hardware/keyring provides it.
type Sealer interface {
	// Seal encrypts plaintext under the purpose's newest key, bound to its place.
	Seal(purpose seal.Purpose, at seal.Place, plaintext []byte) ([]byte, error)
	// Open decrypts what Seal made, for the same purpose and place, under any key
	// that is held.
	Open(purpose seal.Purpose, at seal.Place, sealed []byte) ([]byte, error)
	// Tag is a keyed hash for looking up a sealed value: HMAC-SHA-256 under the
	// newest key.
	Tag(purpose seal.Purpose, data []byte) [32]byte
	Successive
}

// Successive keys follow one another: the newest seals, those before it open what
// they sealed, until Reseal has sealed it again.
type Successive interface {
	// Epochs are the numbers of the keys held, oldest first, as in a ciphertext's
	// header.
	Epochs() []uint32
	// Tags are the tags of data under each key held, the newest first.
	Tags(purpose seal.Purpose, data []byte) []seal.Tag
	// Retag brings a tag of an earlier key to the newest.
	Retag(purpose seal.Purpose, tag seal.Tag) (seal.Tag, error)
	// Forget destroys the keys before the newest.
	Forget() error
}

// seal encrypts what a transaction is about to write. It takes the transaction
// because nothing may be sealed before it: transactions run one after the other,
// so that once one of Reseal finds nothing under an earlier key, no other is on
// its way with something that this key sealed.
func (n *Node) seal(_ *store.Tx, purpose seal.Purpose, at seal.Place, plain []byte) ([]byte, error) {
	return n.sealer.Seal(purpose, at, plain)
}
