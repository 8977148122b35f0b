// Package argon2id is what passphrases are hashed with. It is a package of its own
// so that node/nodetest can make it cheap for the tests of the packages above
// node, and nothing else can.
package argon2id

import "golang.org/x/crypto/argon2"

// Key is Argon2id. Only tests change it: they hash cheaply, or look at what is
// asked of it.
var Key = argon2.IDKey
