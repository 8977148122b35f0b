package people

import (
	"regexp"
	"strings"

	"relais/node/fault"
)

// minPassphraseRunes is the shortest passphrase taken from a person. Those made
// here are six words, about 35 letters.
const minPassphraseRunes = 12

// maxPassphraseOctets bounds what is hashed.
const maxPassphraseOctets = 1024

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{2,39}$`)

// ParseLogin returns the one form of a login: without surrounding space, in
// lower case. It fails with Invalid on "login" when it is not 3 to 40 of a-z,
// 0-9, dot, hyphen and underscore, beginning with a letter or a digit.
func ParseLogin(s string) (string, error) {
	login := strings.ToLower(strings.TrimSpace(s))
	if !loginForm.MatchString(login) {
		return "", fault.Errorf(fault.Invalid,
			"L’identifiant compte de 3 à 40 lettres sans accent, chiffres, points, tirets ou soulignés.",
			"a login of %d octets is not in the login form", len(s)).On("login")
	}
	return login, nil
}

// ParsePassphrase returns the one form of a passphrase: words parted by single
// spaces, without surrounding space, so that the way it was typed from paper
// does not matter. It does not judge its length.
func ParsePassphrase(s string) (string, error) {
	if len(s) > maxPassphraseOctets {
		return "", fault.Errorf(fault.Invalid, "La phrase secrète est trop longue.",
			"passphrase of %d octets, at most %d", len(s), maxPassphraseOctets).On("passphrase")
	}
	return strings.Join(strings.Fields(s), " "), nil
}

// NewPassphraseForm is ParsePassphrase for a passphrase that is being chosen: it
// also refuses one under 12 characters, with Invalid on "passphrase".
func NewPassphraseForm(s string) (string, error) {
	phrase, err := ParsePassphrase(s)
	if err != nil {
		return "", err
	}
	if n := len([]rune(phrase)); n < minPassphraseRunes {
		return "", fault.Errorf(fault.Invalid, "La phrase secrète compte au moins 12 caractères.",
			"passphrase of %d characters, at least %d", n, minPassphraseRunes).On("passphrase")
	}
	return phrase, nil
}
