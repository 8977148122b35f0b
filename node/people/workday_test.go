package people_test

import (
	"testing"
	"time"

	"relais/node/people"
)

// The working days of France: weekends and public holidays pass, and the hour is
// the zone's.
func TestWorkingDays(t *testing.T) {
	for _, c := range []struct{ name, zone, from, want string }{
		{"Week", "Europe/Paris", "2026-11-23T09:00:00Z", "2026-11-26T17:00:00Z"},
		{"Weekend", "Europe/Paris", "2026-11-26T09:00:00Z", "2026-12-01T17:00:00Z"},
		{"FromSunday", "Europe/Paris", "2026-11-29T09:00:00Z", "2026-12-02T17:00:00Z"},
		{"ArmisticeAndWeekend", "Europe/Paris", "2026-11-10T09:00:00Z", "2026-11-16T17:00:00Z"},
		{"Christmas", "Europe/Paris", "2026-12-24T09:00:00Z", "2026-12-30T17:00:00Z"},
		{"NewYear", "Europe/Paris", "2026-12-30T09:00:00Z", "2027-01-05T17:00:00Z"},
		{"EasterMonday", "Europe/Paris", "2026-04-03T09:00:00Z", "2026-04-09T16:00:00Z"},
		{"AscensionAndWhitMonday", "Europe/Paris", "2027-05-05T09:00:00Z", "2027-05-11T16:00:00Z"},
		{"WhitMonday", "Europe/Paris", "2027-05-14T09:00:00Z", "2027-05-20T16:00:00Z"},
		{"EasterOf2038", "Europe/Paris", "2038-04-23T09:00:00Z", "2038-04-29T16:00:00Z"}, // 25 April, the latest there is
		{"LateThereMondayHere", "Pacific/Noumea", "2026-11-23T22:00:00Z", "2026-11-27T07:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from, err := time.Parse(time.RFC3339, c.from)
			if err != nil {
				t.Fatal(err)
			}
			if got := people.WorkingDays(from, 3, people.Zone(c.zone)).UTC().Format(time.RFC3339); got != c.want {
				t.Errorf("three days after %s end at %s, want %s", c.from, got, c.want)
			}
		})
	}
}
