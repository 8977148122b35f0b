package webui

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"relais/node"
	"relais/node/id"
	"relais/node/territory"
	"relais/webui/locale"
)

// The parts of the département's pages: what a template receives when it needs
// more than a value.

// badgePart is a state as a shape, a word and a class.
type badgePart struct{ Class, Icon, Text string }

// hubBadge says whether a hub answers.
func hubBadge(p clocked, h node.HubStatus) badgePart {
	switch {
	case h.Hub.State == territory.HubExpelled:
		return badgePart{"out", "stop", "exclu du territoire"}
	case h.Self:
		return badgePart{"near", "check", "en service, ici"}
	case h.Connected:
		return badgePart{"near", "check", "relié, entendu à " + locale.Clock(h.HeardAt.In(zone(p)))}
	case h.HeardAt.IsZero():
		return badgePart{"silent", "dash", "pas encore entendu"}
	}
	return badgePart{"silent", "dash", "muet depuis " + locale.Since(now(p), h.HeardAt.In(zone(p)))}
}

// structureBadge says what the territory lets a structure do.
func structureBadge(s territory.StructureState) badgePart {
	label := locale.StructureLabel(s)
	switch s {
	case territory.StructureOpen:
		return badgePart{"near", "check", label}
	case territory.StructureSuspended:
		return badgePart{"silent", "clock", label}
	}
	return badgePart{"out", "stop", label}
}

// groups writes octets as people read them aloud: groups of four symbols.
func groups(octets []byte) string {
	var out []string
	for text := id.Encode(octets); text != ""; text = text[min(4, len(text)):] {
		out = append(out, text[:min(4, len(text))])
	}
	return strings.Join(out, " ")
}

// daysLeft is how many whole days a roster still holds; negative when it no
// longer does.
func daysLeft(p clocked, until time.Time) int {
	left := until.Sub(now(p))
	if left < 0 {
		return -1
	}
	return int(left / (24 * time.Hour))
}

// The drawing of a territory: its hubs on one line, an arch from this one to each
// other, as in the mark.
const (
	pictureStep  = 150 // between two hubs
	pictureLine  = 128 // where they stand
	pictureNames = 17  // letters of a name
	pictureHubs  = 6   // more would not be read: the list says it
	pictureWidth = 640 // at least, so that two hubs are not drawn as giants
)

type picture struct {
	Width, Top, Height int
	Hubs               []pictureHub
}

type pictureHub struct {
	X, KeyX, KeyY    int
	Class, Name, Arc string
}

// newPicture draws the active hubs, this one in the middle. It is empty for one
// hub alone and for many.
func newPicture(hubs []node.HubStatus) (p picture) {
	var self, others []node.HubStatus
	for _, h := range hubs {
		switch {
		case h.Hub.State != territory.HubActive:
		case h.Self:
			self = append(self, h)
		default:
			others = append(others, h)
		}
	}
	if len(self) != 1 || len(others) == 0 || len(others) >= pictureHubs {
		return p
	}
	middle := len(others) / 2
	p.Width = max(pictureWidth, pictureStep*(len(others)+1))
	step := p.Width / (len(others) + 1)
	here := step*middle + step/2
	p.Top = pictureLine
	for i, h := range append(append(others[:middle:middle], self[0]), others[middle:]...) {
		d := drawn(h, step*i+step/2, here)
		if p.Hubs = append(p.Hubs, d); d.Arc != "" {
			p.Top = min(p.Top, d.KeyY-8)
		}
	}
	p.Height = pictureLine + 46 - p.Top
	return p
}

func drawn(h node.HubStatus, x, here int) pictureHub {
	d := pictureHub{X: x, Name: shortened(h.Hub.Name), Class: "away"}
	switch {
	case h.Self:
		d.Class = "self"
		return d
	case h.Connected:
		d.Class = "near"
	}
	from, to := min(x, here), max(x, here)
	high := min(40+(to-from)/6, pictureLine-16)
	d.Arc = fmt.Sprintf("M%d %dA%d %d 0 0 1 %d %d", from, pictureLine, (to-from)/2, high, to, pictureLine)
	d.KeyX, d.KeyY = (from+to)/2, pictureLine-high
	return d
}

func shortened(name string) string {
	if utf8.RuneCountInString(name) <= pictureNames {
		return name
	}
	return string([]rune(name)[:pictureNames-1]) + "…"
}
