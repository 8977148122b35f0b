package keyring

import (
	"errors"
	"fmt"

	"relais/node/fault"
)

// Pinned tells which provider opens the keyring in dir: what init decided, for
// whoever makes the provider. Errors are those of reading the file.
func Pinned(dir string) (Kind, error) {
	f, _, err := load(dir)
	if err != nil {
		return "", err
	}
	return f.Provider, nil
}

// Slots lists what opens the keyring in dir, by kind, in the order of the file.
// Errors are those of reading it.
func Slots(dir string) ([]Kind, error) {
	f, _, err := load(dir)
	if err != nil {
		return nil, err
	}
	kinds := make([]Kind, len(f.Slots))
	for i, s := range f.Slots {
		kinds[i] = s.Kind
	}
	return kinds, nil
}

// Open opens the keyring in dir with p, and takes p over when it succeeds. Every
// slot of p's kind is tried. Errors: ErrNone, ErrNewer, and a fault.Locked that
// wraps ErrLocked when no slot opens or when p is not the kind pinned at init.
func Open(dir string, p Provider) (*Keyring, error) {
	f, torn, err := load(dir)
	if err != nil {
		return nil, err
	}
	if p.Kind() != f.Provider {
		return nil, locked(fmt.Errorf("this hub was made with the %s key provider, and never changes by itself: configure provider = %q", f.Provider, f.Provider))
	}
	kek, err := f.unlock(p.Kind(), p.Unwrap)
	if err != nil {
		return nil, locked(err)
	}
	h, err := f.hold(kek)
	if err != nil {
		return nil, locked(err)
	}
	k := newKeyring(dir, p, h)
	k.torn = torn
	if k.signer, err = f.identity(p, h.newest); err != nil {
		return nil, locked(fmt.Errorf("load identity: %w", err))
	}
	return k, k.mend(dir, f)
}

// unlock tries every slot of a kind and returns the first KEK that this file
// recognises.
func (f *file) unlock(kind Kind, unwrap func(blob []byte) ([]byte, error)) ([]byte, error) {
	var reasons []error
	for i, s := range f.Slots {
		if s.Kind != kind {
			continue
		}
		kek, err := unwrap(s.Blob)
		if err == nil && f.proves(kek) {
			return kek, nil
		}
		if err == nil {
			err = errors.New("it opens, to a key that is not this keyring's: the file was altered")
		}
		reasons = append(reasons, fmt.Errorf("slot %d (%s): %w", i, kind, err))
	}
	if len(reasons) == 0 {
		return nil, fmt.Errorf("there is no %s slot", kind)
	}
	return nil, errors.Join(reasons...)
}

// lockedMessage is for the explanation page.
const lockedMessage = "Le relais est verrouillé\u00a0: sa clé ne s’ouvre pas sur cette machine. " +
	"Les données sont intactes et illisibles. Prévenez le service informatique\u00a0: le code de récupération, ou la clé du département, permet de les rouvrir."

func locked(why error) error {
	return fault.New(fault.Locked, lockedMessage, fmt.Errorf("%w: %w", ErrLocked, why))
}

// mend writes a torn current file anew, now that the previous one, which it does
// not touch, has proved itself.
func (k *Keyring) mend(dir string, f *file) error {
	if k.torn == nil {
		return nil
	}
	return f.save(dir, currentName)
}
