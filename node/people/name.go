package people

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"relais/node/fault"
)

// maxNameRunes bounds one given or family name.
const maxNameRunes = 80

// zero-width joiners are part of how some names are written.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// Plain tells whether s is valid UTF-8 made of letters, marks, numbers,
// punctuation, symbols and spaces only: no control character, no line break, no
// direction override. What is printed on a mandate must be what is read.
func Plain(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if ' ' <= r && r <= '~' {
			continue // nearly all of them: the tables of Unicode take longer
		}
		joins := r == zeroWidthJoiner || r == zeroWidthNonJoiner
		if r == utf8.RuneError || !unicode.IsGraphic(r) && !joins {
			return false
		}
	}
	return true
}

// Tidy removes surrounding space and makes every run of white space one space.
func Tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// Line returns the one form of a single line of text that somebody typed. It
// fails with an English cause when s is not Plain or is longer than max
// characters.
func Line(s string, max int) (string, error) {
	tidy := Tidy(s)
	if !Plain(tidy) {
		return "", fmt.Errorf("text of %d octets holds characters that do not print", len(s))
	}
	if n := utf8.RuneCountInString(tidy); n > max {
		return "", fmt.Errorf("text of %d characters, at most %d", n, max)
	}
	return tidy, nil
}

// Parse returns the one form of the name, which may be incomplete. It fails with
// Invalid on "given" or "family".
func (n Name) Parse() (Name, error) {
	given, err := Line(n.Given, maxNameRunes)
	if err != nil {
		return Name{}, fault.New(fault.Invalid, "Le prénom est trop long ou contient des signes qui ne s’impriment pas.", err).On("given")
	}
	family, err := Line(n.Family, maxNameRunes)
	if err != nil {
		return Name{}, fault.New(fault.Invalid, "Le nom est trop long ou contient des signes qui ne s’impriment pas.", err).On("family")
	}
	return Name{Given: given, Family: family}, nil
}

// Complete tells whether both parts are there.
func (n Name) Complete() bool { return n.Given != "" && n.Family != "" }

// IsZero tells whether neither part is there.
func (n Name) IsZero() bool { return n == Name{} }
