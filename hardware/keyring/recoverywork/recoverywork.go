// Package recoverywork says how much work a recovery code is. It is apart from
// keyring so that a test of any package can make a hundred keyrings without doing
// that work a hundred times:
//
//	func init() { recoverywork.MemoryKiB = recoverywork.LightKiB }
//
// Programs never do: a door of the house keeps them out (cmd/relais, TestDoors).
package recoverywork

// MemoryKiB is Argon2id's memory for a recovery code (RFC 9106), as it ships.
// A keyring made at one cost is not recovered at another.
var MemoryKiB uint32 = 64 << 10

// LightKiB is enough for a test.
const LightKiB = 64
