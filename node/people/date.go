package people

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Date is a day of the civil calendar without hour or zone, as a birth
// certificate gives it. Month and Day are 0 when the certificate does not know
// them, which happens to people born far away.
type Date struct {
	Year, Month, Day int
}

// firstYear is the earliest year taken for a birth.
const firstYear = 1890

var (
	isoDate    = regexp.MustCompile(`^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$`)
	frenchDate = regexp.MustCompile(`^(?:(?:(\d{1,2})[/. -])?(\d{1,2})[/. -])?(\d{4})$`)
)

// ParseDate reads 1948-03-12 or 12/03/1948, and 1948-03, 03/1948 or 1948 for a
// day that is not known. It fails, in English, on a day that does not exist.
func ParseDate(s string) (Date, error) {
	s = strings.TrimSpace(s)
	year, month, day := "", "", ""
	if m := isoDate.FindStringSubmatch(s); m != nil {
		year, month, day = m[1], m[2], m[3]
	} else if m := frenchDate.FindStringSubmatch(s); m != nil {
		year, month, day = m[3], m[2], m[1]
	} else {
		return Date{}, fmt.Errorf("a date of %d octets is neither 2006-01-02 nor 02/01/2006", len(s))
	}
	d := Date{Year: number(year), Month: number(month), Day: number(day)}
	if month == "00" || day == "00" || !d.exists() {
		return Date{}, fmt.Errorf("the date does not exist in the civil calendar")
	}
	return d, nil
}

// number reads digits; an empty string is 0.
func number(digits string) int {
	n, _ := strconv.Atoi(digits) // at most four digits: the forms above saw to it
	return n
}

func (d Date) exists() bool {
	if d.Year < firstYear || d.Month == 0 && d.Day != 0 {
		return false
	}
	first := d.First()
	return first.Month() == time.Month(max(d.Month, 1)) && first.Day() == max(d.Day, 1)
}

// First is midnight UTC of the first day that d may be.
func (d Date) First() time.Time {
	return time.Date(d.Year, time.Month(max(d.Month, 1)), max(d.Day, 1), 0, 0, 0, 0, time.UTC)
}

// String is the one written form: 1948-03-12, 1948-03 or 1948.
func (d Date) String() string {
	switch {
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// French is the date as paper says it, after "né(e)": "le 12 mars 1948", "en
// mars 1948" or "en 1948".
func (d Date) French() string {
	switch {
	case d.Month == 0:
		return fmt.Sprintf("en %d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("en %s %d", months[d.Month-1], d.Year)
	}
	return "le " + frenchDay(d.First())
}

// AgeOn is the greatest age in years that somebody born on d may have on the
// day of t, in t's own zone: the benefit of the doubt goes to the person.
func (d Date) AgeOn(t time.Time) int {
	age := t.Year() - d.Year
	birthday := d.First()
	if t.Month() < birthday.Month() || t.Month() == birthday.Month() && t.Day() < birthday.Day() {
		age--
	}
	return age
}

// After tells whether d is certainly later than the day of t, in t's zone.
func (d Date) After(t time.Time) bool {
	today := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return d.First().After(today)
}
