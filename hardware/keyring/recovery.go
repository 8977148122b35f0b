package keyring

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"golang.org/x/crypto/argon2"

	"relais/hardware/keyring/recoverywork"
	"relais/node/id"
	"relais/node/seal"
)

// recoveryOctets is the length of a recovery code: 160 bits, 32 symbols.
const recoveryOctets = 20

// RecoveryCode opens a keyring whose machine is lost. It is shown once, when
// the hub is made, and kept by a person, on paper.
type RecoveryCode [recoveryOctets]byte

// ErrRecoveryForm means that what was typed is no recovery code: a symbol is
// missing or wrong.
var ErrRecoveryForm = errors.New("not a recovery code: 32 letters and digits, then a check symbol")

// ParseRecoveryCode reads what a person typed: either case, with or without
// hyphens and spaces, O for 0, I or L for 1. The only error is ErrRecoveryForm.
func ParseRecoveryCode(typed string) (RecoveryCode, error) {
	var code RecoveryCode
	symbols := []rune(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(typed)))
	if len(symbols) != recoveryOctets*8/5+1 {
		return code, ErrRecoveryForm
	}
	last := len(symbols) - 1
	octets, err := id.Decode(string(symbols[:last]))
	if err != nil || len(octets) != recoveryOctets || !id.IsCheckSymbol(symbols[last], octets) {
		return code, ErrRecoveryForm
	}
	return RecoveryCode(octets), nil
}

// Reveal writes the code for the paper: eight groups of four symbols, then the
// check symbol. It is the only way out of a code.
func (c RecoveryCode) Reveal() string {
	var b strings.Builder
	for i, symbol := range id.Encode(c[:]) {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(symbol)
	}
	b.WriteByte('-')
	b.WriteByte(id.CheckSymbol(c[:]))
	return b.String()
}

const hiddenCode = "recovery code (hidden)"

// String hides the code, so that a careless message does not print it.
func (c RecoveryCode) String() string { return hiddenCode }

// GoString hides the code.
func (c RecoveryCode) GoString() string { return hiddenCode }

// LogValue hides the code.
func (c RecoveryCode) LogValue() slog.Value { return slog.StringValue(hiddenCode) }

// MarshalText hides the code.
func (c RecoveryCode) MarshalText() ([]byte, error) { return []byte(hiddenCode), nil }

// Argon2id's work for a recovery code (RFC 9106): three passes, one lane, and
// recoverywork's 64 MiB. The code has 160 random bits, so this only makes a mistake
// of ours in making it dear to exploit. The file does not choose: a doctored one
// could ask for all the memory.
const (
	recoveryPasses = 3
	recoveryLanes  = 1
)

// recoverySlot is the blob of a recovery slot.
type recoverySlot struct {
	Salt   []byte `json:"salt"`   // 16 random octets
	Sealed []byte `json:"sealed"` // the KEK
}

var recoveryPlace = seal.Place{Table: "keyring", Row: string(KindRecovery), Column: "kek", Version: 1}

func (c RecoveryCode) key(salt []byte) seal.Key {
	secret := argon2.IDKey(c[:], salt, recoveryPasses, recoverywork.MemoryKiB, recoveryLanes, seal.KeySize)
	return mustKey(0, secret)
}

// wrap makes the blob of a recovery slot.
func (c RecoveryCode) wrap(store seal.StoreID, kek []byte) ([]byte, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	return json.Marshal(recoverySlot{Salt: salt, Sealed: c.key(salt).Seal(store, recoveryPlace, kek)})
}

func (RecoveryCode) kind() Kind { return KindRecovery }

// unwrap opens the blob of a recovery slot.
func (c RecoveryCode) unwrap(store seal.StoreID, blob []byte) ([]byte, error) {
	var slot recoverySlot
	if err := json.Unmarshal(blob, &slot); err != nil {
		return nil, fmt.Errorf("recovery slot: %w", err)
	}
	kek, err := c.key(slot.Salt).Open(store, recoveryPlace, slot.Sealed)
	if err != nil {
		return nil, errors.New("this is not the recovery code of this hub")
	}
	return kek, nil
}
