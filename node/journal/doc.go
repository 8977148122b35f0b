// Package journal is a hub's append-only log of all that was done on it: an
// RFC 6962 Merkle tree of entries, and the signed checkpoints that fix it.
//
// What it promises: any change of any entry, after a checkpoint that somebody
// else keeps, is noticed and the entry is named; and what must be forgotten is
// forgotten without a proof failing. The second follows from the leaf:
//
//	leaf = HMAC-SHA-256(salt, label ‖ personal part) ‖ label ‖ public part
//
// Salt and personal part are kept sealed under the person's own key. Once that
// key is destroyed, the HMAC is 32 octets that link to nobody, and the leaf is
// what it was.
//
// What it does not prove: that the person consented, or that what was written
// down is true. It proves that it was written down then and not altered since.
//
// Everything here is pure: no clock, no storage, no keys but those given.
package journal
