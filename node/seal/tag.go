package seal

// Tag is a keyed hash of a text that is not kept, for finding what belongs to it.
// Under another key the same text has another: Key says which one made it.
type Tag struct {
	Key uint32 // the key id, as in a ciphertext's header
	Sum [32]byte
}
