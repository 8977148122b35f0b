package mandate

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"relais/node/fault"
	"relais/node/id"
	"relais/node/people"
	"relais/node/record"
)

type actKind struct{}

func (actKind) Prefix() string { return "t" }

// ActID names an act.
type ActID = id.ID[actKind]

// Act is one use of a line (démarche effectuée).
type Act struct {
	ID      ActID
	Mandate ID
	Line    uint8
	Helper  people.HelperID
	Channel ActChannel
	// Present tells whether the person was there.
	Present bool
	// SignsIn and Pays say what the act needed: a local mandate allows neither
	// in her absence.
	SignsIn bool
	Pays    bool
	Note    string // sealed; may be empty
	At      time.Time
}

// ActChannel is how an act was done.
type ActChannel string

// The channels of an act.
const (
	ActOnline ActChannel = "online"
	ActPhone  ActChannel = "phone"
	ActPaper  ActChannel = "paper"
	ActEmail  ActChannel = "email"
	ActDesk   ActChannel = "desk" // at another organisation's counter
)

// maxNoteRunes bounds the note of an act, in characters.
const maxNoteRunes = 1000

var actChannels = []ActChannel{ActOnline, ActPhone, ActPaper, ActEmail, ActDesk}

// ActChannels are the five channels, in the order forms list them.
func ActChannels() []ActChannel { return slices.Clone(actChannels) }

// Valid tells whether c is one of the five.
func (c ActChannel) Valid() bool { return slices.Contains(actChannels, c) }

// Label is the channel as screens say it, in French.
func (c ActChannel) Label() string {
	switch c {
	case ActOnline:
		return "En ligne"
	case ActPhone:
		return "Par téléphone"
	case ActPaper:
		return "Sur papier"
	case ActEmail:
		return "Par courriel"
	case ActDesk:
		return "Au guichet"
	}
	return ""
}

// ParseNote returns the one form of a note: lines without trailing space, no
// character that does not print. It fails with Invalid on "note".
func ParseNote(typed string) (string, error) {
	lines := strings.Split(strings.ReplaceAll(typed, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.ReplaceAll(l, "\t", " "), " ")
		if !people.Plain(lines[i]) {
			return "", fault.Errorf(fault.Invalid, "La note contient des signes qui ne s’impriment pas.", "note of %d octets", len(typed)).On("note")
		}
	}
	note := strings.Trim(strings.Join(lines, "\n"), "\n ")
	if utf8.RuneCountInString(note) > maxNoteRunes {
		return "", fault.Errorf(fault.Invalid, "La note compte au plus 1 000 caractères.", "note of %d octets", len(typed)).On("note")
	}
	return note, nil
}

// Allowed applies the rule that no verdict on a line can lift: under a local
// mandate, in the person's absence, nobody signs in to an account of hers and
// nobody pays. Such a mandate gives no right to her FranceConnect, her bank or
// her stored passwords. It fails with Forbidden on "present".
func (a Act) Allowed(regime record.MandateKind) error {
	if regime != record.Local || a.Present || !a.SignsIn && !a.Pays {
		return nil
	}
	message := "Sans la personne, ce mandat ne permet pas de se connecter à l’un de ses comptes. Faites cette démarche avec elle."
	if a.Pays {
		message = "Sans la personne, ce mandat ne permet pas de payer. Faites cette démarche avec elle."
	}
	return fault.Errorf(fault.Forbidden, message, "a local mandate neither signs in nor pays in the person's absence").On("present")
}
