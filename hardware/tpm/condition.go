package tpm

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
)

// The bits of the property TPM_PT_PERMANENT that we look at (TPM 2.0 part 2, 8.6).
const (
	ownerAuthSet = 1 << 0
	inLockout    = 1 << 9
)

// Examine asks the TPM how it is: two commands, no password, nothing changed.
func (p *Provider) Examine() (k keyring.Condition, err error) {
	err = p.do("examine", func() error {
		fixed, err := p.properties(tpm2.TPMPTFamilyIndicator, tpm2.TPMPTManufacturer)
		if err != nil {
			return err
		}
		variable, err := p.properties(tpm2.TPMPTPermanent, tpm2.TPMPTLockoutRecovery)
		if err != nil {
			return err
		}
		k = condition(fixed, variable)
		return nil
	})
	return k, err
}

func condition(fixed, variable map[tpm2.TPMPT]uint32) keyring.Condition {
	k := keyring.Condition{
		Family: spell(fixed[tpm2.TPMPTFamilyIndicator]), Manufacturer: spell(fixed[tpm2.TPMPTManufacturer]),
		OwnerAuth: variable[tpm2.TPMPTPermanent]&ownerAuthSet != 0,
		Lockout:   variable[tpm2.TPMPTPermanent]&inLockout != 0,
		Failures:  variable[tpm2.TPMPTLockoutCounter], MaxFailures: variable[tpm2.TPMPTMaxAuthFail],
	}
	if k.Lockout && k.Failures >= k.MaxFailures {
		// One failure is forgotten at each interval; it ends below the limit.
		steps := time.Duration(k.Failures-k.MaxFailures) + 1
		k.RecoversIn = steps * time.Duration(variable[tpm2.TPMPTLockoutInterval]) * time.Second
	}
	return k
}

// properties reads the properties from first to last, in one command.
func (p *Provider) properties(first, last tpm2.TPMPT) (map[tpm2.TPMPT]uint32, error) {
	read, err := tpm2.GetCapability{
		Capability: tpm2.TPMCapTPMProperties, Property: uint32(first), PropertyCount: uint32(last-first) + 1,
	}.Execute(&p.wire)
	if err != nil {
		return nil, err
	}
	list, err := read.CapabilityData.Data.TPMProperties()
	if err != nil {
		return nil, err
	}
	found := map[tpm2.TPMPT]uint32{}
	for _, property := range list.TPMProperty {
		found[property.Property] = property.Value
	}
	return found, nil
}

// spell reads four characters in a number, as a TPM gives its names.
func spell(value uint32) string {
	return string(bytes.TrimRight(binary.BigEndian.AppendUint32(nil, value), "\x00 "))
}

// Commands is how many commands were sent to the TPM by this provider.
func (p *Provider) Commands() uint64 { return p.wire.sent.Load() }
