package id

import (
	"fmt"
	"strings"
)

// alphabet is Crockford's base 32. The five symbols after it are his extension
// for the check symbol, which counts modulo 37.
const (
	alphabet      = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	checkAlphabet = alphabet + "*~$=U"
)

// Encode writes b in Crockford's base 32, most significant bit first, upper
// case, without padding.
func Encode(b []byte) string {
	out := make([]byte, 0, (len(b)*8+4)/5)
	var acc uint
	var bits int
	for _, octet := range b {
		acc = acc<<8 | uint(octet)
		for bits += 8; bits >= 5; bits -= 5 {
			out = append(out, alphabet[acc>>(bits-5)&31])
		}
		acc &= 1<<bits - 1
	}
	if bits > 0 {
		out = append(out, alphabet[acc<<(5-bits)&31])
	}
	return string(out)
}

// Decode reads what Encode wrote. It takes either case, reads O as 0 and I or L
// as 1, and skips hyphens and spaces, as Crockford asks of readers. Left-over
// bits must be zero, so that one value has one spelling.
func Decode(s string) ([]byte, error) {
	out := make([]byte, 0, len(s)*5/8)
	var acc uint
	var bits int
	for _, r := range s {
		if r == '-' || r == ' ' {
			continue
		}
		v := symbolValue(r)
		if v < 0 || v > 31 {
			return nil, fmt.Errorf("%q is not a symbol of Crockford's base 32", r)
		}
		acc = acc<<5 | uint(v)
		if bits += 5; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
		acc &= 1<<bits - 1
	}
	if bits >= 5 || acc != 0 {
		return nil, fmt.Errorf("%d symbols do not make a whole number of octets", len(s))
	}
	return out, nil
}

// CheckSymbol returns Crockford's check symbol for b: its value as a number,
// modulo 37. One wrong symbol, and any two neighbours swapped, change it.
func CheckSymbol(b []byte) byte {
	var rest uint
	for _, octet := range b {
		rest = (rest<<8 | uint(octet)) % 37
	}
	return checkAlphabet[rest]
}

// IsCheckSymbol tells whether r, as a person may have typed it, is the check
// symbol of b.
func IsCheckSymbol(r rune, b []byte) bool {
	v := symbolValue(r)
	return v >= 0 && checkAlphabet[v] == CheckSymbol(b)
}

// symbolValue returns the value of a symbol as a person may write it, or -1.
func symbolValue(r rune) int {
	switch r {
	case 'o', 'O':
		return 0
	case 'i', 'I', 'l', 'L':
		return 1
	}
	return strings.IndexRune(checkAlphabet, upper(r))
}

func upper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}
