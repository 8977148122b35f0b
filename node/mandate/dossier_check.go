package mandate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"relais/node/people"
	"relais/node/record"
)

// The years a mandate's instants may lie in: milliseconds fit, and so does JSON.
var (
	firstInstant = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	lastInstant  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// check says whether a dossier holds together: every text in its one form, the
// lines complete, the declarations yes, the end where the term puts it. A dossier
// that another hub made is held to the same rules as one made here.
func (d Dossier) check() error {
	m := d.Mandate
	switch {
	case d.Salt == [DossierSaltSize]byte{}:
		return fmt.Errorf("%w: it has no salt", ErrDossier)
	case d.Territory.Validate() != nil:
		return fmt.Errorf("%w: territory code", ErrDossier)
	case d.Hub.IsZero() || m.ID.IsZero() || m.Structure.IsZero() || m.Helper.IsZero():
		return fmt.Errorf("%w: an identifier is missing", ErrDossier)
	case !m.Beneficiary.ID.IsZero():
		return fmt.Errorf("%w: the person's identifier belongs to one hub", ErrDossier)
	case m.Regime != record.Local && m.Regime != record.AidantsConnect:
		return fmt.Errorf("%w: unknown regime %d", ErrDossier, m.Regime)
	case !d.declared():
		return fmt.Errorf("%w: declarations or evidence", ErrDossier)
	case !isLine(m.HelperName, maxHelperNameRunes):
		return fmt.Errorf("%w: the helper's name", ErrDossier)
	}
	if err := d.checkPerson(); err != nil {
		return err
	}
	if err := d.checkLines(); err != nil {
		return err
	}
	return d.checkTerm()
}

// declared tells whether the person's declarations and how she was known are
// there; of a mirror, that they are not: they were asked in Aidants Connect.
func (d Dossier) declared() bool {
	m := d.Mandate
	if m.Regime == record.AidantsConnect {
		return m.Declarations == Declarations{} && m.Evidence == ""
	}
	return m.Declarations.Complete() && m.Evidence.Valid()
}

// maxHelperNameRunes is two names and a space.
const maxHelperNameRunes = 161

// isLine tells whether s is a text in the form that people.Line gives.
func isLine(s string, max int) bool {
	tidy, err := people.Line(s, max)
	return err == nil && tidy == s && s != ""
}

func (d Dossier) checkPerson() error {
	b, enough := d.Mandate.Beneficiary, people.Beneficiary.Ready
	if d.Mandate.Regime == record.AidantsConnect {
		enough = people.Beneficiary.Identified
	}
	parsed, err := b.Parse(d.Mandate.Start)
	if err != nil || parsed != b || enough(b, d.Mandate.Start.Add(24*time.Hour)) != nil {
		return fmt.Errorf("%w: the person is not named in full or in form", ErrDossier)
	}
	return nil
}

func (d Dossier) checkLines() error {
	lines := d.Mandate.Lines
	if len(lines) > MaxLines || linesReady(lines) != nil {
		return fmt.Errorf("%w: %d lines, or one is not complete", ErrDossier, len(lines))
	}
	parsed, err := ParseLines(lines)
	if err != nil || !slices.EqualFunc(parsed, lines, sameLine) {
		return fmt.Errorf("%w: a line is not in form", ErrDossier)
	}
	return nil
}

func sameLine(a, b Line) bool {
	return a.Number == b.Number && a.Scope == b.Scope && a.Service == b.Service && slices.Equal(a.Acts, b.Acts)
}

func (d Dossier) checkTerm() error {
	m := d.Mandate
	inMillis := m.Start.Equal(m.Start.Truncate(time.Millisecond))
	if !m.Term.Valid() || !inMillis || m.Start.Before(firstInstant) || m.Start.After(lastInstant) || !m.End.Equal(m.Term.End(m.Start)) {
		return fmt.Errorf("%w: its end is not where its term puts it", ErrDossier)
	}
	wording := strings.ReplaceAll(d.Wording, "\n", " ")
	if d.Wording == "" || len(d.Wording) > maxTextOctets || !people.Plain(wording) || m.Text != TextHash(d.Wording) {
		return fmt.Errorf("%w: its wording does not match its hash, or does not print", ErrDossier)
	}
	return nil
}
