package keyring

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"slices"

	"relais/node/durable"
)

// ErrPowerCut is what a write fails with once the power is cut.
var ErrPowerCut = errors.New("power cut")

// CutPowerAfter lets so many generations be written, and no more, until restored.
func CutPowerAfter(writes int) (restore func()) {
	writeFile = func(path string, data []byte, mode os.FileMode) error {
		if writes--; writes < 0 {
			return ErrPowerCut
		}
		return durable.Write(path, data, mode)
	}
	return func() { writeFile = durable.Write }
}

// WithoutSync writes without waiting for the disk, until restored: for a thousand
// writes of which none is cut.
func WithoutSync() (restore func()) {
	writeFile = os.WriteFile
	return func() { writeFile = durable.Write }
}

// BeforeWrite calls f before each file is written, until restored.
func BeforeWrite(f func(path string)) (restore func()) {
	writeFile = func(path string, data []byte, mode os.FileMode) error {
		f(path)
		return durable.Write(path, data, mode)
	}
	return func() { writeFile = durable.Write }
}

// Envelope gives a forged keyring a right checksum, which takes no key.
func Envelope(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	data, err := json.Marshal(envelope{Keyring: raw, SHA256: sum[:]})
	if err != nil {
		return raw // not JSON at all
	}
	return data
}

// Secrets are the octets of ours that hold a key, as they are in memory: the KEKs,
// and the tag keys made so far.
func (k *Keyring) Secrets() (all [][]byte) {
	h := k.held.Load()
	for _, p := range append(slices.Clone(h.before), h.newest) {
		all = append(all, p.kek)
		p.made.Range(func(_, keys any) bool {
			all = append(all, keys.(purposeKeys).tag)
			return true
		})
	}
	for _, t := range h.tags {
		for _, key := range t.keys {
			all = append(all, key)
		}
	}
	return all
}
