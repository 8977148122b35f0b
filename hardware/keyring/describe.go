package keyring

import (
	"fmt"
	"path/filepath"
)

// Description is a keyring as it can be told without opening it.
type Description struct {
	Provider Kind   // pinned at init, or by the last recovery
	Slots    []Kind // in the order of the file
	Identity []byte // the hub's public key, DER SubjectPublicKeyInfo
	Used     bool   // see Keyring.Used
	// Current and Previous say what is wrong with each generation; nil: it is
	// whole. Not both are wrong.
	Current, Previous error
	// Same is false when both are whole and differ: a rekey or a recovery was cut
	// before it took effect. The current one is the truth where it opens, and Open
	// then writes the previous one anew; where it does not, a recovery is to be
	// made again.
	Same bool
}

// Describe reads the keyring in dir and changes nothing. Errors: ErrNone, ErrNewer,
// ErrTorn.
func Describe(dir string) (d Description, err error) {
	f, torn, err := load(dir)
	if err != nil {
		return d, err
	}
	d = Description{Provider: f.Provider, Identity: f.Identity.Public, Used: !f.Identity.Unused, Current: torn}
	for _, s := range f.Slots {
		d.Slots = append(d.Slots, s.Kind)
	}
	previous, err := read(filepath.Join(dir, previousName))
	d.Previous = err
	d.Same = d.Current == nil && d.Previous == nil && f.same(previous)
	return d, nil
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
