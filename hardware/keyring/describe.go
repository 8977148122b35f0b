package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Description is a keyring as it can be told without opening it.
type Description struct {
	Provider Kind   // pinned at init, or by the last recovery
	Slots    []Kind // in the order of the file
	Identity []byte // the hub's public key, DER SubjectPublicKeyInfo
	// Current and Previous say what is wrong with each generation; nil: it is
	// whole. Not both are wrong.
	Current, Previous error
	// Same is false when both are whole and differ: a recovery was interrupted.
	Same bool
}

// Describe reads the keyring in dir and changes nothing. Errors: ErrNone, ErrNewer,
// ErrTorn.
func Describe(dir string) (d Description, err error) {
	f, torn, err := load(dir)
	if err != nil {
		return d, err
	}
	d = Description{Provider: f.Provider, Identity: f.Identity.Public, Current: torn}
	for _, s := range f.Slots {
		d.Slots = append(d.Slots, s.Kind)
	}
	_, d.Previous = read(filepath.Join(dir, previousName))
	if d.Current != nil || d.Previous != nil {
		return d, nil
	}
	current, err := os.ReadFile(filepath.Join(dir, currentName))
	previous, previousErr := os.ReadFile(filepath.Join(dir, previousName))
	d.Same = bytes.Equal(current, previous)
	return d, errors.Join(err, previousErr)
}

// Try tells whether p opens the keyring in dir, and writes nothing: a current
// file that is torn stays so. p stays the caller's. Errors are those of Open.
func Try(dir string, p Provider) error {
	f, _, err := load(dir)
	if err != nil {
		return err
	}
	if p.Kind() != f.Provider {
		return Locked(fmt.Errorf("%w: it was made with %s", ErrOtherProvider, f.Provider))
	}
	if _, err := f.open(dir, p); err != nil {
		return Locked(err)
	}
	return nil
}
