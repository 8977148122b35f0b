package people

import (
	"crypto/rand"
	_ "embed"
	"math/big"
	"strings"
)

// passphraseWords is how many words a made passphrase has: with 1,024 words,
// 60 bits, behind Argon2id and growing delays.
const passphraseWords = 6

//go:embed words.txt
var wordFile string

var words = strings.Fields(wordFile)

// Words are the plain French words passphrases are made of: 4 to 8 letters
// without accent, so that any keyboard types them. Never modified.
func Words() []string { return words }

// NewPassphrase returns six random words parted by spaces.
func NewPassphrase() string {
	chosen := make([]string, passphraseWords)
	for i := range chosen {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(words))))
		if err != nil {
			panic("the system gives no randomness: " + err.Error())
		}
		chosen[i] = words[n.Int64()]
	}
	return strings.Join(chosen, " ")
}
