package keyring

import (
	"crypto/sha256"
	"encoding/json"
)

// Envelope gives a forged keyring a right checksum, which takes no key.
func Envelope(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	data, err := json.Marshal(envelope{Keyring: raw, SHA256: sum[:]})
	if err != nil {
		return raw // not JSON at all
	}
	return data
}
