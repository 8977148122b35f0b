package people_test

import (
	"testing"
	"time"

	"relais/node/people"
)

func at(t *testing.T, zone *time.Location, s string) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestWhen(t *testing.T) {
	paris := people.Zone("Europe/Paris")
	now := at(t, paris, "2026-11-21 18:00")
	for moment, want := range map[string]string{
		"2026-11-21 17:58": "aujourd’hui à 17:58",
		"2026-11-21 00:00": "aujourd’hui à 00:00",
		"2026-11-20 23:59": "hier à 23:59",
		"2026-11-22 08:00": "demain à 08:00",
		"2026-11-01 09:12": "le 1er novembre 2026 à 09:12",
		"2025-11-21 17:58": "le 21 novembre 2025 à 17:58",
	} {
		if got := people.When(at(t, paris, moment), now, paris); got != want {
			t.Errorf("%s is %q, want %q", moment, got, want)
		}
	}
}

// The night the clocks go back has 25 hours: yesterday stays yesterday, and a
// term still ends to the second.
func TestChangeOfHour(t *testing.T) {
	paris := people.Zone("Europe/Paris")
	evening := at(t, paris, "2026-10-24 23:30")
	nearly := evening.Add(24 * time.Hour) // 22:30 on the 25th
	if got := people.Moment(nearly, paris); got != "25 octobre 2026 à 22:30" {
		t.Errorf("24 hours later is %q", got)
	}
	if got := people.When(evening, evening.Add(25*time.Hour+10*time.Minute), paris); got != "hier à 23:30" {
		t.Errorf("25 h 10 later it was %q", got)
	}
	if got := people.DaysLeft(nearly, evening, paris); got != 1 {
		t.Errorf("%d days left", got)
	}
	midnight := people.Midnight(at(t, paris, "2026-10-25 12:00"), paris)
	if got := at(t, paris, "2026-10-25 12:00").Sub(midnight); got != 13*time.Hour {
		t.Errorf("noon was %s after midnight", got)
	}
}

// The same instant is another day overseas, and the binary knows it without any
// file of the machine.
func TestOverseas(t *testing.T) {
	instant := time.Date(2026, 11, 21, 20, 30, 0, 0, time.UTC)
	for name, want := range map[string]string{
		"Europe/Paris": "21 novembre 2026 à 21:30", "Indian/Reunion": "22 novembre 2026 à 00:30",
		"America/Martinique": "21 novembre 2026 à 16:30", "Pacific/Noumea": "22 novembre 2026 à 07:30",
		"": "21 novembre 2026 à 21:30", "Nowhere/Land": "21 novembre 2026 à 21:30", "Local": "21 novembre 2026 à 21:30",
	} {
		if got := people.Moment(instant, people.Zone(name)); got != want {
			t.Errorf("in %q it is %q, want %q", name, got, want)
		}
	}
}
