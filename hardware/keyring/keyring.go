package keyring

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

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
	// ErrClosed means that the keyring was closed, and its keys overwritten.
	ErrClosed = errors.New("the keyring is closed")
	// ErrExists means that the folder holds one already.
	ErrExists = errors.New("the folder already holds a keyring; if its init was interrupted before the recovery code was shown, remove the folder and start again")
)

// Keyring is an open keyring. It is safe for concurrent use, and satisfies
// node.Sealer.
type Keyring struct {
	dir      string
	provider Provider
	kind     Kind
	signer   crypto.Signer
	torn     error

	held     atomic.Pointer[held]
	using    sync.RWMutex // shared while keys are used; whoever overwrites them has it alone
	changing sync.Mutex   // of the files: Rekey, Forget and a counter's Renew, one at a time
}

// newKeyring holds an open file.
func newKeyring(dir string, p Provider, h *held) *Keyring {
	k := &Keyring{dir: dir, provider: p, kind: p.Kind()}
	k.held.Store(h)
	return k
}

// Mended returns what was wrong with one of the two generations, which was written
// anew from the other; nil when nothing was. For the log.
func (k *Keyring) Mended() error { return k.torn }

// use returns the keys held, which nobody overwrites until k.using.RUnlock. The
// only error is ErrClosed: then there is nothing to unlock.
func (k *Keyring) use() (*held, error) {
	k.using.RLock()
	if h := k.held.Load(); !h.gone {
		return h, nil
	}
	k.using.RUnlock()
	return nil, ErrClosed
}

// replace goes over to next, or to nothing, and overwrites what was held.
func (k *Keyring) replace(next *held) {
	k.using.Lock()
	defer k.using.Unlock()
	before := k.held.Load()
	if next != nil {
		k.held.Store(next)
	}
	if before != nil {
		before.destroy()
	}
}

// Seal encrypts plaintext under the purpose's newest key, bound to its place. The
// only error is ErrClosed.
func (k *Keyring) Seal(purpose seal.Purpose, at seal.Place, plaintext []byte) ([]byte, error) {
	h, err := k.use()
	if err != nil {
		return nil, err
	}
	defer k.using.RUnlock()
	return h.newest.keys(purpose).seal.Seal(h.newest.store, at, plaintext), nil
}

// Open decrypts what Seal made for the same purpose and place, under the key that
// its header names. Errors are those of seal.Key.Open, and ErrClosed.
func (k *Keyring) Open(purpose seal.Purpose, at seal.Place, sealed []byte) ([]byte, error) {
	h, err := k.use()
	if err != nil {
		return nil, err
	}
	defer k.using.RUnlock()
	p, err := h.of(sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", at.Table, at.Column, err)
	}
	return p.keys(purpose).seal.Open(p.store, at, sealed)
}

// Tag is a keyed hash for looking up a sealed value: HMAC-SHA-256 under a key of
// the purpose that seals nothing. It changes with the KEK: see Tags.
func (k *Keyring) Tag(purpose seal.Purpose, data []byte) [32]byte {
	return k.Tags(purpose, data)[0].Sum
}

// Tags are the tags of data under every key that is held, the newest first. It
// panics once the keyring is closed: a tag that nothing matches would be kept.
func (k *Keyring) Tags(purpose seal.Purpose, data []byte) []seal.Tag {
	h, err := k.use()
	if err != nil {
		panic("keyring: " + err.Error())
	}
	defer k.using.RUnlock()
	tags := h.chain(purpose, data)
	slices.Reverse(tags)
	oldest := h.epochs()[0]
	return slices.DeleteFunc(tags, func(t seal.Tag) bool { return t.Key < oldest })
}

// Retag brings a tag of an earlier key to the newest, without the text. The error
// is seal.ErrOtherKey, for a key that this keyring never had, or ErrClosed.
func (k *Keyring) Retag(purpose seal.Purpose, tag seal.Tag) (seal.Tag, error) {
	h, err := k.use()
	if err != nil {
		return seal.Tag{}, err
	}
	defer k.using.RUnlock()
	return h.retag(purpose, tag)
}

// Epochs are the numbers of the keys that are held, oldest first: the last seals,
// the others are retired and only open, until Forget.
func (k *Keyring) Epochs() []uint32 { return k.held.Load().epochs() }

// Recipients are those that the departement slots are for, as far as the keyring
// knows: one made before they were kept has slots and no recipients.
func (k *Keyring) Recipients() []string { return slices.Clone(k.held.Load().file.Recipients) }

// Identity is the hub's P-256 signing key. It signs SHA-256 digests, one at a
// time, and may take tenths of a second.
func (k *Keyring) Identity() crypto.Signer { return k.signer }

// Assurance says what guards the identity.
func (k *Keyring) Assurance() territory.Assurance { return k.kind.Assurance() }

// Provider is what guards the keys, for whoever asks how it is. It is not theirs to
// close.
func (k *Keyring) Provider() Provider { return k.provider }

// Close overwrites the keys and lets go of the provider: nothing is sealed, opened
// or signed any more. A rekey that is under way needs its keys, and they are let go
// with it instead.
func (k *Keyring) Close() error {
	if k.changing.TryLock() {
		defer k.changing.Unlock()
		k.replace(nil)
	}
	return k.provider.Close()
}
