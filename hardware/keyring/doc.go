// Package keyring keeps a hub's one key, and everything that is made from it.
//
// # What it promises
//
// One random 32-octet key, the KEK, is made when the hub is born, and again by
// Rekey when it may have become known. It is nowhere in clear on the disk of a hub that has a TPM. Every
// purpose has its own key, derived from it, so that nothing sealed for one
// purpose opens under another.
//
// # Slots
//
// The KEK is wrapped once per slot, as in LUKS:
//
//	tpm          by this machine's TPM: opens on this machine, nowhere else
//	software     by a file beside it: opens wherever the folder is copied
//	recovery     by a code of 160 bits, printed once
//	departement  by an age key that the département keeps off line; optional
//
// Which of tpm and software a hub uses is decided when it is made, and pinned.
// Open never falls back from one to the other: a TPM that vanished is a locked
// hub, which says so, and not a quietly weaker one.
//
// # The file
//
// keyring.json, and keyring.previous.json beside it: the generation before. A
// current file that is missing or torn is mended from the previous one. Every
// key is checked, in constant time, against a value in the file before use.
//
// # Epochs
//
// Rekey makes the KEK of the next epoch, in new slots. The one before is kept,
// sealed under it, until Forget: rows that it sealed open meanwhile, and somebody
// else (package node) seals them again. A ciphertext's header names its epoch.
// The file is never without a KEK that rows are sealed under: both generations
// have the new one before it seals anything.
//
// # The trap
//
// The identity key lives in the TPM and dies with it. Recover brings back what
// was sealed, never who the hub was: it makes a new identity, by which the hub
// must be enrolled anew.
package keyring
