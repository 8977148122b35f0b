// Package nodetest is for the tests of packages that open nodes.
package nodetest

import (
	"testing"

	"golang.org/x/crypto/argon2"

	"relais/node/internal/argon2id"
)

// CheapPassphrases makes every node of this process hash passphrases cheaply: a
// hub's parameters take a tenth of a second and 64 MiB each time, more under the
// race detector. The hub still asks for its own parameters, and writes them. Call
// it before any node is open. It panics in a program that is not a test.
func CheapPassphrases() {
	if !testing.Testing() {
		panic("passphrases are hashed cheaply outside tests")
	}
	argon2id.Key = func(phrase, salt []byte, _, _ uint32, _ uint8, tag uint32) []byte {
		return argon2.IDKey(phrase, salt, 1, 8, 1, tag)
	}
}
