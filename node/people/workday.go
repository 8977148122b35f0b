package people

import "time"

// closing is the hour, in the zone's time, at which a working day ends.
const closing = 18

// WorkingDays is the end of the nth working day after the day of t, in the zone:
// Monday to Friday, the eleven public holidays of the Code du travail (art.
// L.3133-1) left out. Holidays of one département alone count as working days.
func WorkingDays(t time.Time, n int, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	for left := n; left > 0; {
		d++
		if works(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) {
			left--
		}
	}
	return time.Date(y, m, d, closing, 0, 0, 0, zone)
}

// works tells whether a day of the calendar, at midnight UTC, is worked.
func works(day time.Time) bool {
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return false
	}
	switch day.Format("02/01") {
	case "01/01", "01/05", "08/05", "14/07", "15/08", "01/11", "11/11", "25/12":
		return false
	}
	switch int(day.Sub(easter(day.Year())).Hours() / 24) {
	case 1, 39, 50: // Easter Monday, Ascension, Whit Monday
		return false
	}
	return true
}

// easter is Easter Sunday of a Gregorian year, at midnight UTC (Meeus, Jones and
// Butcher).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	return time.Date(year, time.Month((h+l-7*m+114)/31), (h+l-7*m+114)%31+1, 0, 0, 0, 0, time.UTC)
}
