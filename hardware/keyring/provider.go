package keyring

import (
	"crypto"

	"relais/node/territory"
)

// Kind names what wraps the KEK in a slot. It is written in the file.
type Kind string

// The kinds of slot.
const (
	KindTPM         Kind = "tpm"
	KindSoftware    Kind = "software"
	KindRecovery    Kind = "recovery"
	KindDepartement Kind = "departement"
)

// ofMachine tells whether a slot of this kind opens by itself, on one machine.
func (k Kind) ofMachine() bool { return k == KindTPM || k == KindSoftware }

// Assurance is how far other hubs may trust an identity kept by k.
func (k Kind) Assurance() territory.Assurance {
	if k == KindTPM {
		return territory.AssuranceTPM
	}
	return territory.AssuranceSoftware
}

// Provider is what this machine has to guard a key. It is an interface because
// machines differ: hardware/tpm and hardware/soft satisfy it.
//
// What Wrap and NewIdentity return is kept in the keyring and handed back as it
// was; it may be read by whoever steals the disk. Calls may be slow: a TPM takes
// tenths of a second.
type Provider interface {
	// Kind is KindTPM or KindSoftware.
	Kind() Kind
	// Wrap makes a blob that Unwrap opens on this machine alone.
	Wrap(kek []byte) (blob []byte, err error)
	// Unwrap returns what was wrapped. Its errors say what to do.
	Unwrap(blob []byte) (kek []byte, err error)
	// NewIdentity makes a P-256 signing key, kept outside the provider as a blob
	// that the keyring seals under the KEK.
	NewIdentity() (blob []byte, err error)
	// LoadIdentity makes the key of such a blob ready to sign. Its Sign takes
	// SHA-256 digests, nil options too, and returns ASN.1 DER.
	LoadIdentity(blob []byte) (crypto.Signer, error)
	// Close lets go of the device.
	Close() error
}

// A Renewer is a Provider whose own wrapping key can be copied like the keyring,
// and is renewed with the KEK. It is an interface apart because a TPM's cannot.
type Renewer interface {
	// Renew makes Wrap use a fresh key. What the one before wrapped still unwraps.
	Renew() error
	// Settle destroys the keys that do not open blob, one that does staying.
	Settle(blob []byte) error
}
