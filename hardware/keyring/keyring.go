package keyring

import (
	"crypto"
	"errors"

	"relais/node/seal"
	"relais/node/territory"
)

// The ways a keyring may refuse. Their texts say what to do.
var (
	// ErrLocked means that no slot opens. The error that wraps it says why, slot
	// by slot, and is a fault.Locked.
	ErrLocked = errors.New("locked: no key slot opens")
	// ErrNone means that the folder holds no keyring.
	ErrNone = errors.New("no keyring")
	// ErrExists means that the folder holds one already.
	ErrExists = errors.New("the folder already holds a keyring; if its init was interrupted before the recovery code was shown, remove the folder and start again")
)

// Keyring is an open keyring. It is safe for concurrent use, and satisfies
// node.Sealer.
type Keyring struct {
	provider Provider
	purposes *purposes
	kind     Kind
	signer   crypto.Signer
	torn     error
}

// Mended returns what was wrong with the current file when the previous one had
// to be used and it was written anew; nil when nothing was. For the log.
func (k *Keyring) Mended() error { return k.torn }

// Seal encrypts plaintext under the purpose's key, bound to its place. It does
// not fail.
func (k *Keyring) Seal(purpose seal.Purpose, at seal.Place, plaintext []byte) ([]byte, error) {
	return k.purposes.keys(purpose).seal.Seal(k.purposes.store, at, plaintext), nil
}

// Open decrypts what Seal made for the same purpose and place. Errors are those
// of seal.Key.Open.
func (k *Keyring) Open(purpose seal.Purpose, at seal.Place, sealed []byte) ([]byte, error) {
	return k.purposes.keys(purpose).seal.Open(k.purposes.store, at, sealed)
}

// Tag is a keyed hash for looking up a sealed value: HMAC-SHA-256 under a key of
// the purpose that seals nothing.
func (k *Keyring) Tag(purpose seal.Purpose, data []byte) [32]byte {
	return k.purposes.tag(purpose, data)
}

// Identity is the hub's P-256 signing key. It signs SHA-256 digests, one at a
// time, and may take tenths of a second.
func (k *Keyring) Identity() crypto.Signer { return k.signer }

// Assurance says what guards the identity.
func (k *Keyring) Assurance() territory.Assurance { return k.kind.Assurance() }

// Provider is what guards the keys, for whoever asks how it is. It is not theirs to
// close.
func (k *Keyring) Provider() Provider { return k.provider }

// Close lets go of the provider: Identity no longer signs.
func (k *Keyring) Close() error { return k.provider.Close() }
