// Package locale is the one door for the French of the screens and papers: the
// closed vocabularies (démarches, durées, états, raisons), times as people say
// them, the sentences that code composes, and the catalogue of the kiosk, which
// will have more languages.
//
// Sentences that never vary live in the desk's templates, which are French.
// Everything here is typographic French: ’ and not ', a no-break space before
// : ; ? ! and inside « », in source as on screen. A test reads both.
package locale

import (
	"fmt"
	"strconv"
	"time"
)

var months = [...]string{
	"janvier", "février", "mars", "avril", "mai", "juin", "juillet",
	"août", "septembre", "octobre", "novembre", "décembre",
}

// Day writes a civil day: "22 décembre 2026", "1er mars 2027".
func Day(t time.Time) string {
	return DayMonth(t) + " " + strconv.Itoa(t.Year())
}

// DayMonth writes a civil day without its year: "22 décembre".
func DayMonth(t time.Time) string {
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return day + " " + months[t.Month()-1]
}

// Clock writes the time of day: "09:44".
func Clock(t time.Time) string { return t.Format("15:04") }

// Instant writes a moment in full, as a paper must: "22 décembre 2026 à 09:44".
func Instant(t time.Time) string { return Day(t) + " à " + Clock(t) }

// Moment writes a past moment as people say it: "aujourd’hui à 09:44", "hier à
// 17:58", else "le 22 décembre 2026 à 09:44". Both times are in the zone shown.
func Moment(now, t time.Time) string {
	switch daysBetween(t, now) {
	case 0:
		return "aujourd’hui à " + Clock(t)
	case 1:
		return "hier à " + Clock(t)
	}
	return "le " + Instant(t)
}

// Heard writes a past moment shortly, for lists: "09:42" today, else "hier
// 17:58" or "22 décembre"; "jamais" for the zero time.
func Heard(now, t time.Time) string {
	if t.IsZero() {
		return "jamais"
	}
	switch daysBetween(t, now) {
	case 0:
		return Clock(t)
	case 1:
		return "hier " + Clock(t)
	}
	return DayMonth(t)
}

// Since writes the moment something began to last, after « depuis »: "09:42"
// today, else "hier à 17:58" or "le 22 décembre à 17:58".
func Since(now, t time.Time) string {
	switch days := daysBetween(t, now); {
	case days == 0:
		return Clock(t)
	case days > 1 && t.Year() == now.Year():
		return "le " + DayMonth(t) + " à " + Clock(t)
	}
	return Moment(now, t)
}

// Span writes a duration as people say it, rounded down: "12 s", "31 min",
// "5 h", "3 j".
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d/time.Second)))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d/time.Hour))
	}
	return fmt.Sprintf("%d j", int(d/(24*time.Hour)))
}

// Delay writes how long news was on its way: "0,2 s", and what is longer than a
// minute as Span does.
func Delay(d time.Duration) string {
	if d >= time.Minute {
		return Span(d)
	}
	tenths := max(1, int((d+50*time.Millisecond)/(100*time.Millisecond)))
	return fmt.Sprintf("%d,%d\u00a0s", tenths/10, tenths%10)
}

// Wait writes how long to wait, rounded up, in words: "12 secondes",
// "1 minute".
func Wait(d time.Duration) string {
	if d > 90*time.Second {
		return Plural(int((d+time.Minute-1)/time.Minute), "minute", "minutes")
	}
	return Plural(max(1, int((d+time.Second-1)/time.Second)), "seconde", "secondes")
}

// Plural writes a count with its noun: French is singular below two.
func Plural(n int, one, many string) string {
	if n < 2 {
		return strconv.Itoa(n) + " " + one
	}
	return strconv.Itoa(n) + " " + many
}

// CivilForm writes a civil date as a form shows it: "14/03/1950".
func CivilForm(date string) string {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return t.Format("02/01/2006")
}

func daysBetween(from, to time.Time) int {
	y, m, d := from.Date()
	start := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	y, m, d = to.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Sub(start) / (24 * time.Hour))
}
