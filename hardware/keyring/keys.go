package keyring

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sync"

	"relais/node/label"
	"relais/node/seal"
)

// kekSize is the length of the KEK in octets.
const kekSize = 32

// use says what a derived key does.
type use string

const (
	useSeal  use = "seal"
	useTag   use = "tag"
	useCheck use = "check" // proves the KEK; of no purpose
)

// purposes hands out the keys made from one KEK. It is safe for concurrent use.
type purposes struct {
	kek   []byte
	store seal.StoreID
	epoch uint32
	made  sync.Map // seal.Purpose → purposeKeys
}

// purposeKeys are one purpose's: one seals, the other tags, so that a tag never
// says anything about a ciphertext.
type purposeKeys struct {
	seal seal.Key
	tag  []byte
}

func (p *purposes) keys(purpose seal.Purpose) purposeKeys {
	if k, found := p.made.Load(purpose); found {
		return k.(purposeKeys)
	}
	k := purposeKeys{
		seal: mustKey(p.epoch, p.derive(useSeal, purpose)),
		tag:  p.derive(useTag, purpose),
	}
	if first, made := p.made.LoadOrStore(purpose, k); made { // by somebody else meanwhile
		clear(k.tag)
		return first.(purposeKeys)
	}
	return k
}

// destroy overwrites the KEK and the tag keys. The sealing keys' octets are the
// cipher's own, and are let go.
func (p *purposes) destroy() {
	clear(p.kek)
	p.made.Range(func(_, k any) bool {
		clear(k.(purposeKeys).tag)
		return true
	})
	p.made.Clear()
}

// derive is HKDF-SHA-256 (RFC 5869) of the KEK, salted with the store: 32
// octets. The info is label ‖ 0 ‖ use ‖ 0 ‖ purpose ‖ 0 ‖ epoch u32; none of the
// texts holds a zero octet.
func (p *purposes) derive(to use, purpose seal.Purpose) []byte {
	info := fmt.Sprintf("%s\x00%s\x00%s\x00", label.Keyring, to, purpose)
	info = string(binary.BigEndian.AppendUint32([]byte(info), p.epoch))
	key, err := hkdf.Key(sha256.New, p.kek, p.store[:], info, seal.KeySize)
	if err != nil {
		panic("keyring: " + err.Error()) // only for a length HKDF cannot give
	}
	return key
}

// mustKey makes a key from a secret whose length the caller fixed, and overwrites
// the secret, of which the key has a copy.
func mustKey(id uint32, secret []byte) seal.Key {
	defer clear(secret)
	key, err := seal.NewKey(id, secret)
	if err != nil {
		panic("keyring: " + err.Error())
	}
	return key
}
