package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
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
//
// The generation that opened is the truth: the other, torn or left by a rekey or a
// recovery that was cut, is written anew from it. So the caller holds the folder.
func Open(dir string, p Provider) (*Keyring, error) {
	f, torn, err := load(dir)
	if err != nil {
		return nil, err
	}
	if p.Kind() != f.Provider {
		return nil, Locked(fmt.Errorf("%w: it was made with %s, configure provider = %q", ErrOtherProvider, f.Provider, f.Provider))
	}
	k, err := f.open(dir, p)
	if err != nil {
		return nil, Locked(err)
	}
	k.torn = torn
	return k, k.mend(dir, f)
}

func (f *file) open(dir string, p Provider) (*Keyring, error) {
	kek, err := f.unlock(p.Kind(), p.Unwrap)
	if err != nil {
		return nil, err
	}
	defer clear(kek)
	h, err := f.hold(kek)
	if err != nil {
		return nil, err
	}
	k := newKeyring(dir, p, h)
	if k.signer, err = f.identity(p, h.newest); err != nil {
		h.destroy()
		return nil, fmt.Errorf("load identity: %w", err)
	}
	return k, nil
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
			clear(kek)
			err = ErrForeign
		}
		reasons = append(reasons, fmt.Errorf("slot %d (%s): %w", i, kind, err))
	}
	if len(reasons) == 0 {
		return nil, fmt.Errorf("there is no %s slot", kind)
	}
	return nil, errors.Join(reasons...)
}

// mend writes the other generation anew, now that f, which it does not touch, has
// proved itself: a torn current one or, beside a whole current one, a previous one
// that says something else. A rekey and a recovery write the previous one first
// and seal nothing before the current one is written, so that what only the
// previous one holds never served. One of a later version is left alone. Where
// the previous one cannot be written, the hub opens as it did before.
func (k *Keyring) mend(dir string, f *file) error {
	if k.torn != nil {
		return f.save(dir, currentName)
	}
	previous, err := read(filepath.Join(dir, previousName))
	if errors.Is(err, ErrNewer) || err == nil && f.same(previous) {
		return nil
	}
	if err == nil {
		err = errDiffer
	}
	k.torn = errors.Join(err, f.save(dir, previousName))
	return nil
}

// errDiffer is two whole generations of which one never served.
var errDiffer = errors.New("the generations differ: a rekey or a recovery was cut before it took effect")

// same tells whether two generations say the same.
func (f *file) same(other *file) bool {
	one, err := f.encode()
	two, otherErr := other.encode()
	return err == nil && otherErr == nil && bytes.Equal(one, two)
}
