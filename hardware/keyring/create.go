package keyring

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"relais/node/durable"

	"relais/node/seal"
)

// Create makes a new keyring in dir, itself made if missing: a fresh KEK, a slot
// for p, pinned, a recovery slot, a slot for each recipient, and an identity. It
// returns the recovery code, which is nowhere else: show it once. It takes p over
// when it succeeds. Errors: ErrExists, and those of p.
func Create(dir string, p Provider, recipients ...Recipient) (*Keyring, RecoveryCode, error) {
	var code RecoveryCode
	if err := vacant(dir); err != nil {
		return nil, code, err
	}
	kek := make([]byte, kekSize)
	defer clear(kek)
	store := make([]byte, len(seal.StoreID{}))
	for _, random := range [][]byte{kek, store, code[:]} {
		rand.Read(random) // never fails since Go 1.24
	}
	f := &file{Store: store, Epoch: 1, Provider: p.Kind()}
	k := newKeyring(dir, p, nil)
	err := errors.Join(f.addSlot(p, kek), f.addRecovery(code, kek), f.addRecipients(recipients, kek))
	if err == nil {
		k.signer, err = f.addIdentity(p, kek)
	}
	if err == nil {
		err = k.become(f, kek) // in two generations: a hub never has one copy only
	}
	if err != nil {
		return nil, RecoveryCode{}, fmt.Errorf("create keyring: %w", err)
	}
	return k, code, nil
}

// vacant makes dir, and refuses one with a keyring in it.
func vacant(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create keyring: %w", err)
	}
	if _, _, err := load(dir); !errors.Is(err, ErrNone) {
		return fmt.Errorf("create keyring in %s: %w", dir, ErrExists)
	}
	return nil
}

// addSlot wraps the KEK and unwraps it again: a slot that does not open is worse
// than none.
func (f *file) addSlot(p Provider, kek []byte) error {
	blob, err := p.Wrap(kek)
	if err != nil {
		return err
	}
	again, err := p.Unwrap(blob)
	defer clear(again)
	if err != nil || !bytes.Equal(again, kek) {
		return fmt.Errorf("the new %s slot does not open: %w", p.Kind(), err)
	}
	f.Slots = append(f.Slots, slot{Kind: p.Kind(), Blob: blob})
	return nil
}

func (f *file) addRecovery(code RecoveryCode, kek []byte) error {
	blob, err := code.wrap(seal.StoreID(f.Store), kek)
	f.Slots = append(f.Slots, slot{Kind: KindRecovery, Blob: blob})
	return err
}

// addRecipients wraps the KEK for each, and keeps who they are.
func (f *file) addRecipients(recipients []Recipient, kek []byte) error {
	for _, r := range recipients {
		blob, err := r.wrap(kek)
		if err != nil {
			return err
		}
		f.Slots = append(f.Slots, slot{Kind: KindDepartement, Blob: blob})
		f.Recipients = append(f.Recipients, r.String())
	}
	return nil
}

// save writes generations of the file, one after the other.
func (f *file) save(dir string, names ...string) error {
	data, err := f.encode()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := writeFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeFile is a variable so that a test can cut the power at each write.
var writeFile = durable.Write
