package people

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // a small machine may have no zone files
)

// defaultZone is the zone of metropolitan France: that of a hub without roster.
const defaultZone = "Europe/Paris"

var months = [...]string{
	"janvier", "février", "mars", "avril", "mai", "juin",
	"juillet", "août", "septembre", "octobre", "novembre", "décembre",
}

// zones are those read so far, by name: as many as rosters named. Reading one
// takes longer than all that is done with it.
var zones sync.Map

// Zone returns the location of an IANA name, such as "Indian/Reunion", from the
// zones the binary carries. An empty or unknown name is Europe/Paris: a date in
// the wrong zone of France is better than no date.
func Zone(name string) *time.Location {
	if loc, found := zones.Load(name); found {
		return loc.(*time.Location)
	}
	loc := readZone(name)
	zones.Store(name, loc)
	return loc
}

func readZone(name string) *time.Location {
	if name != "" && name != "Local" {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	loc, err := time.LoadLocation(defaultZone)
	if err != nil {
		panic("the binary carries no time zones: " + err.Error())
	}
	return loc
}

// frenchDay writes "1er mars 2026" and "12 mars 2026".
func frenchDay(t time.Time) string {
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return fmt.Sprintf("%s %s %d", day, months[t.Month()-1], t.Year())
}

// Day is the day of t in the zone: "12 mars 2026".
func Day(t time.Time, zone *time.Location) string { return frenchDay(t.In(zone)) }

// Hour is the hour of t in the zone: "17:58".
func Hour(t time.Time, zone *time.Location) string { return t.In(zone).Format("15:04") }

// Moment is t in full in the zone: "12 mars 2026 à 17:58".
func Moment(t time.Time, zone *time.Location) string {
	return Day(t, zone) + " à " + Hour(t, zone)
}

// When is t as said at the moment now: "aujourd’hui à 17:58", "hier à 09:12",
// "demain à 08:00", else "le 12 mars 2026 à 17:58". Days are those of the zone,
// however long the change of hour made them.
func When(t, now time.Time, zone *time.Location) string {
	hour := " à " + Hour(t, zone)
	switch civilDay(t, zone) - civilDay(now, zone) {
	case 0:
		return "aujourd’hui" + hour
	case -1:
		return "hier" + hour
	case 1:
		return "demain" + hour
	}
	return "le " + Day(t, zone) + hour
}

// DaysLeft is the number of civil days from now to t in the zone: 0 today, 1
// tomorrow, negative in the past.
func DaysLeft(t, now time.Time, zone *time.Location) int {
	return civilDay(t, zone) - civilDay(now, zone)
}

// Midnight is the instant at which the civil day of now began in the zone.
func Midnight(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// civilDay numbers the days of the calendar, so that their difference counts
// days and never hours.
func civilDay(t time.Time, zone *time.Location) int {
	y, m, d := t.In(zone).Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}
