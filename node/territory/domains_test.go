package territory_test

import (
	"strings"
	"testing"
	"time"

	"relais/node/territory"
)

// An authority that was made for some domains certifies no hub outside them; the
// twin, made for all, does.
func TestDomains(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	bounded, err := territory.NewRoot("demo", "Territoire d’essai", now, "departement.example")
	if err != nil {
		t.Fatal(err)
	}
	free, err := territory.NewRoot("demo", "Territoire d’essai", now)
	if err != nil {
		t.Fatal(err)
	}
	key := identity(t)
	for name, inside := range map[string]bool{
		"valbrume.departement.example": true, "departement.example": true,
		"valbrume.example": false, "xdepartement.example": false,
	} {
		h := territory.Hub{Name: "Valbrume", HostNames: []string{name}}
		if _, err := bounded.Authority().Certify(h, key, now); (err == nil) != inside {
			t.Errorf("%s: %v", name, err)
		} else if !inside && !strings.Contains(err.Error(), "departement.example") {
			t.Errorf("it does not say for what it is: %v", err)
		}
		if _, err := free.Authority().Certify(h, key, now); err != nil {
			t.Errorf("%s, made for all: %v", name, err)
		}
	}
}
