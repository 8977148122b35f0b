// Package seal is the one ciphertext format of Relais: XChaCha20-Poly1305 under
// a named key, bound to the place where the ciphertext is kept, so that moving
// it to another row or column makes it unreadable.
package seal

// Purpose names what a key is for. Each has its own key, by HKDF.
type Purpose string

// The purposes.
const (
	PurposePerson     Purpose = "person"     // wraps each person's own key
	PurposeCredential Purpose = "credential" // passphrase verifiers, TOTP seeds, login look-ups
	PurposeHelper     Purpose = "helper"     // helpers' names
	PurposeSecret     Purpose = "secret"     // certificates, witness and age keys, sessions
	PurposeDraft      Purpose = "draft"      // forms begun and not finished
)

// Purposes lists them.
func Purposes() []Purpose {
	return []Purpose{PurposePerson, PurposeCredential, PurposeHelper, PurposeSecret, PurposeDraft}
}

// Place says where a ciphertext lives: the additional data of its encryption.
type Place struct {
	Table   string
	Row     string // the primary key, as text
	Column  string
	Version uint32 // of the column's content format
}
