package keyring

import "time"

// Condition is how the device that guards the keys is, as far as it says without
// a password. Nothing in it is secret.
type Condition struct {
	Family       string `json:"family"`       // "2.0"
	Manufacturer string `json:"manufacturer"` // as the device spells it
	OwnerAuth    bool   `json:"owner_auth"`   // its owner set a password
	// Lockout is the dictionary-attack rule at work: after wrong passwords, by
	// whatever program, the device hears no more of them for a while.
	Lockout     bool   `json:"lockout"`
	Failures    uint32 `json:"failures"`     // wrong passwords counted
	MaxFailures uint32 `json:"max_failures"` // that it takes
	// RecoversIn is how long the lockout lasts yet, at most. Zero: there is none,
	// or it does not end by itself.
	RecoversIn time.Duration `json:"recovers_in"` // nanoseconds
}

// Examiner is a Provider that tells how its device is. It is an interface because
// a file has no condition; hardware/tpm and hardware/agent satisfy it.
type Examiner interface {
	Examine() (Condition, error)
}
