// Package tpm guards a hub's key with the machine's TPM 2.0: it wraps the KEK
// so that it opens on this machine alone, and keeps the identity key where no
// program can read it.
//
// # What it promises
//
// The KEK is never in clear on the bus, at sealing or at unsealing: both pass
// in a session salted to the storage root key and encrypted (AES-128-CFB). The
// root key is pinned, by its whole public area, in the keyring's slot: a session
// is salted to what was pinned, never to what the bus says today.
//
// Nothing of ours counts towards the TPM's dictionary-attack lockout, so that a
// machine unplugged every evening never locks itself out (noDA everywhere).
//
// # What it does not
//
// The seal is bound to the device, not to what boots on it. Who controls the
// machine, or holds it running, can unseal. The first seal trusts the bus.
//
// # The flow
//
// New takes a device and opens nothing. The first command connects; any
// transport error drops the connection, and the next command connects again.
// On a software TPM, which has no resource manager, connecting flushes what an
// earlier process of ours left behind. Opening a hub is at most ten commands.
//
// # The trap
//
// go-tpm has several, each noted where it is stepped around: sessions made just
// in time leak when something fails, authorisation values may hold no zero
// octet, its transports wait for ever.
package tpm
