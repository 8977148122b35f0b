package record

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"

	"relais/node/id"
	"relais/node/label"
	"relais/node/territory"
)

// StopCode is the 80 random bits printed on the person's copy (code d'arrêt).
// Who holds it may stop the mandate at any kiosk, and do nothing else.
type StopCode [10]byte

// Commitment lets a kiosk find a mandate from the code alone:
// SHA-256(label ‖ territory ‖ code)[:16].
type Commitment [16]byte

const (
	codeSymbols = 16 // and one check symbol
	maxTyped    = 64 // octets a person may type, spaces included
)

// Reading a code fails with one of these.
var (
	// ErrCodeForm means that it is not 17 symbols of Crockford's base 32.
	ErrCodeForm = errors.New("not the form of a stop code")
	// ErrCodeCheck means that the check symbol does not agree: a symbol was
	// mistaken for another, or two were swapped.
	ErrCodeCheck = errors.New("the check symbol of the stop code does not agree")
)

// NewStopCode returns a fresh random code.
func NewStopCode() StopCode {
	var c StopCode
	rand.Read(c[:]) // never fails since Go 1.24
	return c
}

// String returns the printed form, four groups of four and the check symbol:
// 7K3M-9QXD-4T2P-HW8V-5. It is a secret until the mandate is stopped.
func (c StopCode) String() string {
	s := id.Encode(c[:])
	return strings.Join([]string{s[:4], s[4:8], s[8:12], s[12:], string(id.CheckSymbol(c[:]))}, "-")
}

// ParseStopCode reads what a person typed: either case, O for 0, I and L for 1,
// spaces and hyphens of any kind anywhere. It fails with ErrCodeForm or
// ErrCodeCheck, and never repeats what was typed.
func ParseStopCode(typed string) (StopCode, error) {
	var c StopCode
	if len(typed) > maxTyped {
		return c, ErrCodeForm
	}
	var symbols []rune
	for _, r := range typed {
		if !strings.ContainsRune(" -\t\u00a0\u202f\u2010\u2011\u2013\u2014", r) {
			symbols = append(symbols, r)
		}
	}
	if len(symbols) != codeSymbols+1 {
		return c, ErrCodeForm
	}
	b, err := id.Decode(string(symbols[:codeSymbols]))
	if err != nil || len(b) != len(c) {
		return c, ErrCodeForm
	}
	if !id.IsCheckSymbol(symbols[codeSymbols], b) {
		return c, ErrCodeCheck
	}
	return StopCode(b), nil
}

// Commitment returns what a notice says of the code in this territory.
func (c StopCode) Commitment(code territory.Code) Commitment {
	sum := label.StopCode.Sum([]byte(code), c[:])
	return Commitment(sum[:16])
}

// LogValue keeps the code out of logs.
func (c StopCode) LogValue() slog.Value { return slog.StringValue("hidden") }
