package seal

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"relais/node/label"
)

// KeySize is the length of a key's secret in octets.
const KeySize = chacha20poly1305.KeySize

// Every ciphertext begins with the same header, whatever it holds:
// version u8 ‖ key id u32 ‖ nonce 24, big-endian.
const (
	version1   = 1
	nonceAt    = 1 + 4
	headerSize = nonceAt + chacha20poly1305.NonceSizeX
)

// Overhead is how much longer a ciphertext is than its plaintext, in octets.
const Overhead = headerSize + chacha20poly1305.Overhead

// StoreID names the data folder a ciphertext belongs to, so that a row copied
// from one hub to another does not open there. It is random at init and
// survives a restore.
type StoreID [16]byte

// The ways a ciphertext may be refused. None tells what it held.
var (
	// ErrFormat means that this is no ciphertext of this package, or one of a
	// later version.
	ErrFormat = errors.New("not a sealed value")
	// ErrOtherKey means that the header names another key.
	ErrOtherKey = errors.New("sealed under another key")
	// ErrAltered means that the ciphertext was altered, or moved from the place
	// it was sealed for, or that the key's secret is not the one that sealed it.
	ErrAltered = errors.New("sealed value altered or moved")
)

// Key seals and opens under one secret. It is safe for concurrent use.
type Key struct {
	id   uint32
	aead cipher.AEAD
}

// NewKey makes a key from KeySize octets of secret, which it does not keep. The
// id is written in each ciphertext: it tells keys apart after a rotation, and
// is no secret. The only error is a secret of another length.
func NewKey(id uint32, secret []byte) (Key, error) {
	aead, err := chacha20poly1305.NewX(secret)
	if err != nil {
		return Key{}, fmt.Errorf("seal: a key takes %d octets, not %d", KeySize, len(secret))
	}
	return Key{id: id, aead: aead}, nil
}

// Seal encrypts plain under a fresh random nonce, for one place of one store.
func (k Key) Seal(store StoreID, at Place, plain []byte) []byte {
	sealed := make([]byte, headerSize, len(plain)+Overhead)
	sealed[0] = version1
	binary.BigEndian.PutUint32(sealed[1:], k.id)
	rand.Read(sealed[nonceAt:]) // never fails since Go 1.24
	return k.aead.Seal(sealed, sealed[nonceAt:], plain, additional(store, at, sealed))
}

// Open decrypts what Seal made for the same store and place. Its errors are
// ErrFormat, ErrOtherKey and ErrAltered, wrapped with the place's table and
// column, never its row.
func (k Key) Open(store StoreID, at Place, sealed []byte) ([]byte, error) {
	plain, err := k.open(store, at, sealed)
	if err != nil {
		return nil, fmt.Errorf("open %s.%s: %w", at.Table, at.Column, err)
	}
	return plain, nil
}

// KeyID reads which key a ciphertext says it was sealed under, for whoever holds
// several. Opening alone proves it. The only error is ErrFormat.
func KeyID(sealed []byte) (uint32, error) {
	if len(sealed) < Overhead || sealed[0] != version1 {
		return 0, ErrFormat
	}
	return binary.BigEndian.Uint32(sealed[1:]), nil
}

func (k Key) open(store StoreID, at Place, sealed []byte) ([]byte, error) {
	id, err := KeyID(sealed)
	if err != nil {
		return nil, err
	}
	if id != k.id {
		return nil, ErrOtherKey
	}
	header := sealed[:headerSize:headerSize]
	plain, err := k.aead.Open(nil, header[nonceAt:], sealed[headerSize:], additional(store, at, header))
	if err != nil {
		return nil, ErrAltered
	}
	return plain, nil
}

// additional is the data a ciphertext is bound to: label ‖ store ‖ table ‖ row
// ‖ column ‖ column version ‖ header. Texts carry their length, so that no two
// places share an encoding.
func additional(store StoreID, at Place, header []byte) []byte {
	data := make([]byte, 0, len(label.Seal)+len(store)+len(at.Table)+len(at.Row)+len(at.Column)+4*4+len(header))
	data = append(data, label.Seal...)
	data = append(data, store[:]...)
	for _, text := range [...]string{at.Table, at.Row, at.Column} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(text)))
		data = append(data, text...)
	}
	data = binary.BigEndian.AppendUint32(data, at.Version)
	return append(data, header...)
}
