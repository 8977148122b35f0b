package keyring

import (
	"fmt"
	"slices"

	"relais/node/fault"
	"relais/node/seal"
)

// Spare is a key kept away from the machine: a RecoveryCode or a DepartementKey.
// It is an interface because people keep keys in different ways.
type Spare interface {
	kind() Kind
	unwrap(store seal.StoreID, blob []byte) ([]byte, error)
}

// spareMessage is for whoever brought the wrong key.
const spareMessage = "Cette clé n’ouvre pas ce relais. Vérifiez que le code de récupération, ou la clé du département, " +
	"est bien celui de ce site, et recommencez. Rien n’a été changé."

// Recover opens the keyring in dir with a spare key, on a machine that cannot,
// and makes it this machine's: a slot of p, now pinned, in place of those of the
// machine that is lost, and a new identity, the old one having died with it. The
// other slots stay, and so does a retired KEK. It takes p over when it succeeds.
//
// Interrupted, it leaves a keyring that the spare keys open, or one that is
// recovered. Errors: ErrNone, ErrNewer, a fault.Locked that wraps ErrLocked for
// the wrong key, and those of p.
func Recover(dir string, p Provider, spare Spare) (*Keyring, error) {
	f, torn, err := load(dir)
	if err != nil {
		return nil, err
	}
	kek, err := f.unlock(spare.kind(), func(blob []byte) ([]byte, error) {
		return spare.unwrap(seal.StoreID(f.Store), blob)
	})
	if err != nil {
		return nil, fault.New(fault.Locked, spareMessage, fmt.Errorf("%w: %w", ErrLocked, err))
	}
	defer clear(kek)
	k := newKeyring(dir, p, nil)
	k.torn = torn
	f.Provider = p.Kind()
	f.Slots = slices.DeleteFunc(f.Slots, func(s slot) bool { return s.Kind.ofMachine() })
	if err = f.addSlot(p, kek); err == nil {
		k.signer, err = f.addIdentity(p, kek)
		f.Identity.Unused = true
	}
	if err == nil {
		err = k.become(f, kek) // the current generation last: until then nothing has changed
	}
	if err == nil {
		err = forgetCounter(dir) // the lost machine's; if this is not done, it is found missing
	}
	if err != nil {
		return nil, fmt.Errorf("recover keyring: %w", err)
	}
	return k, nil
}

// NewIdentity opens the keyring in dir with p, and gives the hub another identity:
// the one it has speaks for another machine too, or was put out of its territory.
// The former one is gone; KEK and slots stay. It takes p over when it succeeds. The
// caller holds the folder.
//
// Interrupted, it leaves the former keyring or the new one. Errors are those of
// Open.
func NewIdentity(dir string, p Provider) (*Keyring, error) {
	f, torn, err := load(dir)
	if err != nil {
		return nil, err
	}
	kek, err := f.unlock(p.Kind(), p.Unwrap) // without loading the former identity: a TPM has few places
	if err != nil {
		return nil, Locked(err)
	}
	defer clear(kek)
	k := newKeyring(dir, p, nil)
	k.torn = torn
	if k.signer, err = f.addIdentity(p, kek); err == nil {
		f.Identity.Unused = true
		err = k.become(f, kek)
	}
	if err != nil {
		return nil, fmt.Errorf("make a new identity: %w", err)
	}
	return k, nil
}

// Used tells whether a folder had the identity for its own. One that has another
// since is older than the keyring: it was put back, and lacks what was said under
// this identity.
func (k *Keyring) Used() bool { return !k.held.Load().file.Identity.Unused }

// Use notes that the folder has the identity. Call it before anything is said under
// it; it writes the first time only.
func (k *Keyring) Use() error {
	k.changing.Lock()
	defer k.changing.Unlock()
	h := k.held.Load()
	if !h.file.Identity.Unused {
		return nil
	}
	if h.gone {
		return fmt.Errorf("note that the identity is the folder's: %w", ErrClosed)
	}
	f := h.file
	f.Identity.Unused = false
	if err := k.become(&f, h.newest.kek); err != nil {
		return fmt.Errorf("note that the identity is the folder's: %w", err)
	}
	return nil
}
