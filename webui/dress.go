package webui

import (
	"net/http"
	"time"

	"relais/node/people"
	"relais/node/territory"
	"relais/webui/page"
)

// dress fills what every page shares. A page must not fail because its header
// cannot be filled: the node is asked for the freshness, and silence is shown as
// "never".
func (s *Server) dress(r *http.Request, b *page.Base) {
	b.Static, b.Now, b.Zone, b.Site = s.assets.root, s.now(), time.UTC, "Relais"
	if s.node == nil {
		return
	}
	b.Site = s.node.Name()
	roster := s.node.Roster()
	b.Zone = zoneOf(roster)
	if f, err := s.node.Freshness(r.Context()); err == nil {
		b.Freshness = page.Freshness{At: f.At, Seen: f.Seen, Expected: f.Expected}
	}
	if b.Audience == page.Kiosk {
		return
	}
	b.Software = s.software
	b.Flash = s.flash(r)
	by, signedIn := actorOf(r)
	if !signedIn {
		return
	}
	b.Helper = by.Name.Short()
	switch {
	case by.Role == people.RoleAdministrator:
		b.Structure = by.Role.Label()
	case roster != nil:
		structure, _ := roster.Structure(by.Structure)
		b.Structure = structure.Name
	}
}

// zoneOf is the zone of the territory's screens and papers: Europe/Paris when
// the roster names none that this machine knows.
func zoneOf(roster *territory.Roster) *time.Location {
	name := "Europe/Paris"
	if roster != nil && roster.Zone != "" {
		name = roster.Zone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// deskBase begins a page of the desk under an entry of the menu; "" shows no menu.
func deskBase(title, section string) page.Base {
	return page.Base{Title: title, Audience: page.Desk, Section: section}
}

// officeBase begins a page of the département under an entry of its menu.
func officeBase(title, section string) page.Base {
	return page.Base{Title: title, Audience: page.Office, Section: section}
}

func doorBase(title string) page.Base { return page.Base{Title: title, Audience: page.Door} }

func kioskBase(title string) page.Base { return page.Base{Title: title, Audience: page.Kiosk} }
