package keyring

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"relais/node/seal"
)

// held is what an open keyring has in memory. It is never changed, only replaced
// as a whole, so that whoever seals, opens or tags sees one state of it.
type held struct {
	file   file        // as it was last written
	newest *purposes   // seals
	before []*purposes // of the retired KEKs, oldest first: open what they sealed
	tags   []tagKeys   // of every earlier epoch, oldest first

	gone bool // it was destroyed; guarded by Keyring.using
}

// destroy overwrites all its keys, as far as they are octets of ours.
func (h *held) destroy() {
	h.gone = true
	for _, p := range append(slices.Clone(h.before), h.newest) {
		p.destroy()
	}
	for _, t := range h.tags {
		t.destroy()
	}
}

// The purposes of what the keyring seals for itself. No row has them.
var (
	retiredPurpose = seal.Purpose("retired")
	tagsPurpose    = seal.Purpose("tags")
)

// earlierPlace is where something of an earlier epoch lives.
func earlierPlace(purpose seal.Purpose, epoch uint32) seal.Place {
	return seal.Place{Table: "keyring", Row: strconv.FormatUint(uint64(epoch), 10), Column: string(purpose), Version: 1}
}

// hold opens, with the KEK that f recognised, all that f keeps under it. What it
// returns has copies of its own of every key.
func (f *file) hold(kek []byte) (_ *held, err error) {
	h := &held{file: *f, newest: f.purposes(kek)}
	defer func() {
		if err != nil {
			h.destroy()
		}
	}()
	for _, e := range f.Retired {
		old, err := h.newest.openEarlier(retiredPurpose, e)
		if err == nil && len(old) != kekSize {
			err = errors.New("it is no key")
		}
		if err != nil {
			return nil, fmt.Errorf("retired key of epoch %d: %w", e.Epoch, err)
		}
		h.before = append(h.before, &purposes{kek: old, store: h.newest.store, epoch: e.Epoch})
	}
	for _, e := range f.Tags {
		plain, err := h.newest.openEarlier(tagsPurpose, e)
		if err != nil {
			return nil, fmt.Errorf("tag keys of epoch %d: %w", e.Epoch, err)
		}
		keys, err := parseTagKeys(e.Epoch, plain)
		clear(plain)
		if err != nil {
			return nil, err
		}
		h.tags = append(h.tags, keys)
	}
	return h, nil
}

func (p *purposes) openEarlier(purpose seal.Purpose, e earlier) ([]byte, error) {
	return p.keys(purpose).seal.Open(p.store, earlierPlace(purpose, e.Epoch), e.Sealed)
}

func (p *purposes) sealEarlier(purpose seal.Purpose, epoch uint32, plain []byte) earlier {
	return earlier{epoch, p.keys(purpose).seal.Seal(p.store, earlierPlace(purpose, epoch), plain)}
}

// of returns the keys that a ciphertext says it was sealed under.
func (h *held) of(sealed []byte) (*purposes, error) {
	id, err := seal.KeyID(sealed)
	if err != nil {
		return nil, err
	}
	for _, p := range append(slices.Clone(h.before), h.newest) {
		if p.epoch == id {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: key %d, and this keyring holds %v", seal.ErrOtherKey, id, h.epochs())
}

// epochs lists the keys held, oldest first.
func (h *held) epochs() []uint32 {
	var list []uint32
	for _, p := range h.before {
		list = append(list, p.epoch)
	}
	return append(list, h.newest.epoch)
}
