package mandate

import (
	"slices"
	"time"
)

// Term is how long a mandate runs.
type Term string

// The terms: N times 24 hours from the instant of the grant.
const (
	Short    Term = "SHORT"    // 1 day
	Month    Term = "MONTH"    // 31 days
	Semester Term = "SEMESTER" // 182 days
	Long     Term = "LONG"     // 365 days
)

// ExpiresSoon is how long before its end a mandate is shown as ending soon.
const ExpiresSoon = 30 * 24 * time.Hour

var terms = []Term{Short, Month, Semester, Long}

// Terms are the four terms, shortest first.
func Terms() []Term { return slices.Clone(terms) }

// Valid tells whether t is one of the four.
func (t Term) Valid() bool { return slices.Contains(terms, t) }

// Days is how many times 24 hours the term runs; 0 for an unknown one.
func (t Term) Days() int {
	switch t {
	case Short:
		return 1
	case Month:
		return 31
	case Semester:
		return 182
	case Long:
		return 365
	}
	return 0
}

// End is start plus exactly Days × 24 hours: an instant, whatever the change of
// hour in between and wherever midnight falls.
func (t Term) End(start time.Time) time.Time {
	return start.Add(time.Duration(t.Days()) * 24 * time.Hour)
}

// Label is the term in a sentence of the mandate: "pour une durée de 1 jour".
func (t Term) Label() string {
	switch t {
	case Short:
		return "pour une durée de 1 jour"
	case Month:
		return "pour une durée d’un mois (31 jours)"
	case Semester:
		return "pour une durée de six mois (182 jours)"
	case Long:
		return "pour une durée d’un an (365 jours)"
	}
	return ""
}

// Choice is the term as a form offers it.
func (t Term) Choice() string {
	switch t {
	case Short:
		return "Un jour – expire demain"
	case Month:
		return "Un mois – 31 jours"
	case Semester:
		return "Six mois – 182 jours"
	case Long:
		return "Un an – 365 jours"
	}
	return ""
}
