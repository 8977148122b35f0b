package keyring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
)

// ErrUnfinished means that something is still sealed under the KEK that the last
// Rekey replaced.
var ErrUnfinished = errors.New("the last rekey is not finished: something is still sealed under the key before; the hub finishes it by itself while it serves")

// NewRecoveryCode draws one, for Rekey. Show it before: once the new KEK is
// written, the former code opens nothing.
func NewRecoveryCode() (code RecoveryCode) {
	rand.Read(code[:]) // never fails since Go 1.24
	return code
}

// Rekey replaces the KEK: a fresh one, in new slots of the provider, of code and
// of each recipient, and none of the former slots. What was sealed before still
// opens, under the former KEK, which is kept sealed under the new one until
// Forget; what is sealed from now on is under the new one. The identity stays.
//
// Both generations are written before anything is sealed under the new KEK, the
// current one last. So a power cut leaves the former keyring or the new one, and
// everything opens with either. After an error nobody knows which: keep both
// codes. Errors: ErrUnfinished, those of the provider and of writing.
func (k *Keyring) Rekey(code RecoveryCode, recipients ...Recipient) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	h := k.held.Load()
	if h.gone {
		return fmt.Errorf("rekey: %w", ErrClosed)
	}
	if len(h.before) > 0 {
		return fmt.Errorf("rekey: %w", ErrUnfinished)
	}
	if len(h.tags) >= maxEarlier {
		return fmt.Errorf("rekey: this hub was rekeyed %d times already", maxEarlier)
	}
	kek := make([]byte, kekSize)
	rand.Read(kek)
	defer clear(kek)
	f, err := h.successor(kek)
	if r, ok := k.provider.(Renewer); ok && err == nil {
		err = r.Renew()
	}
	if err == nil {
		err = errors.Join(f.addSlot(k.provider, kek), f.addRecovery(code, kek), f.addRecipients(recipients, kek))
	}
	if err == nil {
		err = k.become(f, kek)
	}
	if err != nil {
		return fmt.Errorf("rekey: %w", err)
	}
	return nil
}

// successor is the file of the next epoch, without a slot yet.
func (h *held) successor(kek []byte) (*file, error) {
	f := &file{Store: h.file.Store, Epoch: h.file.Epoch + 1, Provider: h.file.Provider}
	p := f.purposes(kek)
	defer p.destroy()
	identity, err := h.newest.keys(identityPurpose).seal.Open(p.store, identityPlace, h.file.Identity.Sealed)
	if err != nil {
		return nil, err
	}
	f.Identity.Public = h.file.Identity.Public
	f.Identity.Sealed = p.keys(identityPurpose).seal.Seal(p.store, identityPlace, identity)
	f.Retired = []earlier{p.sealEarlier(retiredPurpose, h.newest.epoch, h.newest.kek)}
	for _, t := range append(slices.Clone(h.tags), h.newest.tagKeys()) {
		plain, err := t.encode()
		if err != nil {
			return nil, err
		}
		f.Tags = append(f.Tags, p.sealEarlier(tagsPurpose, t.epoch, plain))
		clear(plain)
	}
	return f, nil
}

// become writes a file and goes over to it. What was held is overwritten: kek may
// be of it.
func (k *Keyring) become(f *file, kek []byte) error {
	next, err := f.hold(kek)
	if err != nil {
		return err
	}
	f.prove(next.newest)
	next.file = *f
	if err := f.save(k.dir, previousName, currentName); err != nil {
		next.destroy()
		return err
	}
	k.replace(next)
	return nil
}

// Forget destroys the KEKs before this one: no generation of the keyring holds
// them any more, and this process has overwritten them. Call it once nothing is sealed under
// them: what is will never open again. Without any, it does nothing. Its errors
// are those of writing: it may then be called again.
func (k *Keyring) Forget() error {
	k.changing.Lock()
	defer k.changing.Unlock()
	h := k.held.Load()
	if len(h.before) == 0 {
		return nil
	}
	if h.gone {
		return fmt.Errorf("forget the keys before: %w", ErrClosed)
	}
	f := h.file
	f.Retired = nil
	err := k.resealCounter()
	if err == nil {
		err = k.settle(f)
	}
	if err == nil {
		err = k.become(&f, h.newest.kek)
	}
	if err != nil {
		return fmt.Errorf("forget the keys before: %w", err)
	}
	return nil
}

// settle leaves the provider the key that opens this file's slot: both generations
// have that one.
func (k *Keyring) settle(f file) error {
	r, ok := k.provider.(Renewer)
	if !ok {
		return nil
	}
	at := slices.IndexFunc(f.Slots, func(s slot) bool { return s.Kind == k.kind })
	if at < 0 {
		return errors.New("there is no slot of this machine")
	}
	return r.Settle(f.Slots[at].Blob)
}
