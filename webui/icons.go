package webui

import (
	"fmt"
	"html/template"

	"relais/node/mandate"
)

// icons are drawn on a 24 × 24 grid with strokes of the text's colour. They
// stand beside words and never replace them.
var icons = map[string]string{
	"today":              `<rect x="3.5" y="5" width="17" height="15.5" rx="3"/><path d="M3.5 10h17M8 2.8V7M16 2.8V7"/>`,
	"paper":              `<path d="M6 3h8.5L19 7.5V19a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a1 1 0 0 1 1-1z"/><path d="M14 3v5h5M8.5 13h7M8.5 16.5h5"/>`,
	"territory":          `<circle cx="5" cy="17.5" r="2.2"/><circle cx="19" cy="17.5" r="2.2"/><circle cx="12" cy="6" r="2.2"/><path d="M6.2 15.6 10.8 8M17.8 15.6 13.2 8M7.2 17.5h9.6"/>`,
	"invite":             `<rect x="3" y="6" width="18" height="13" rx="2.5"/><path d="m3.5 8 8.5 6 8.5-6"/>`,
	"structure":          `<path d="M4 20.5V9l8-5.5L20 9v11.5M2.5 20.5h19M8.5 20.5v-5h7v5M8.5 11.5h1M14.5 11.5h1"/>`,
	"registry":           `<path d="M5 4.5A1.5 1.5 0 0 1 6.5 3H19v18H6.5A1.5 1.5 0 0 1 5 19.5z"/><path d="M5 18h14M9 7.5h6M9 11h4"/>`,
	"copy":               `<rect x="8.5" y="8.5" width="12" height="12" rx="2"/><path d="M15.5 8.5v-3a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h3"/>`,
	"plus":               `<path d="M12 5v14M5 12h14"/>`,
	"minus":              `<path d="M5 12h14"/>`,
	"dash":               `<path d="M7 12h10"/>`,
	"check":              `<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
	"stop":               `<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>`,
	"alert":              `<path d="M12 3.5 22 20.5H2z"/><path d="M12 10v4.5M12 17.6v.1"/>`,
	"info":               `<circle cx="12" cy="12" r="9"/><path d="M12 11v5.5M12 7.6v.1"/>`,
	"pen":                `<path d="m4 20 1-4.5L16.5 4 20 7.5 8.5 19z"/><path d="m14 6.5 3.5 3.5"/>`,
	"back":               `<path d="m14.5 5-7 7 7 7"/>`,
	"next":               `<path d="m9.5 5 7 7-7 7"/>`,
	"print":              `<path d="M7 8V3.5h10V8M7 17H4.5a1 1 0 0 1-1-1v-6a2 2 0 0 1 2-2h13a2 2 0 0 1 2 2v6a1 1 0 0 1-1 1H17"/><path d="M7 14h10v6.5H7z"/>`,
	"voice":              `<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5z"/><path d="M15.5 9a4.5 4.5 0 0 1 0 6M18.3 6.5a8 8 0 0 1 0 11"/>`,
	"hand":               `<path d="M8 12V5.5a1.5 1.5 0 0 1 3 0V11 4a1.5 1.5 0 0 1 3 0v7-5.5a1.5 1.5 0 0 1 3 0V14c0 4-2.2 7-5.8 7-3 0-4.4-1.4-6-4.4L3.6 13a1.5 1.5 0 0 1 2.6-1.4z"/>`,
	"leave":              `<path d="M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h10M16.5 8l4 4-4 4"/>`,
	"shield":             `<path d="M12 3 4.5 6v5.5c0 4.5 3 7.8 7.5 9.5 4.5-1.7 7.5-5 7.5-9.5V6z"/><path d="m8.5 12 2.5 2.5 4.5-4.8"/>`,
	"clock":              `<circle cx="12" cy="12" r="9"/><path d="M12 7v5.3l3.3 2"/>`,
	"key":                `<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8.5-8.5M16 7.5l3 3"/>`,
	"home":               `<path d="m3.5 11 8.5-7.5 8.5 7.5M6 9.5V20h12V9.5"/><path d="M10 20v-6h4v6"/>`,
	"erase":              `<path d="M9 20h11M4.5 14.5 13 6l6 6-8 8H8z"/>`,
	"posture-forme":      `<path d="M2.5 9 12 4.5 21.5 9 12 13.5z"/><path d="M6.5 11v5c1.5 1.5 3.3 2.2 5.5 2.2s4-.7 5.5-2.2v-5"/>`,
	"posture-accompagne": `<circle cx="8" cy="7" r="3.2"/><circle cx="16.5" cy="8.5" r="2.7"/><path d="M2.5 20c0-4 2.2-6.5 5.5-6.5s5.5 2.5 5.5 6.5M15 14.2c3.6-.6 6.5 1.5 6.5 5.8"/>`,
	"posture-fais":       `<path d="M5 3h9l5 5v5M5 3v18h6M14 3v5h5M8 12h5M8 16h3"/><path d="m13 21 .8-3.2L19.5 12l2.5 2.5-5.8 5.7z"/>`,
}

// icon returns an icon as inline SVG, hidden from assistive technology.
func icon(name string) (template.HTML, error) {
	paths, found := icons[name]
	if !found {
		return "", fmt.Errorf("no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">` + paths + `</svg>`), nil // #nosec: constants above
}

// stateIcon is the shape that goes with a state, so that colour is never alone.
func stateIcon(s mandate.State) string {
	switch s {
	case mandate.StateActive:
		return "check"
	case mandate.StateAwaitingPaper:
		return "pen"
	case mandate.StatePartly, mandate.StateUnusable:
		return "alert"
	case mandate.StateStopped:
		return "stop"
	}
	return "dash"
}

// mark is the sign of Relais: an arch between two points, with its keystone.
func mark() template.HTML {
	return `<svg class="mark" viewBox="0 0 40 26" aria-hidden="true" focusable="false"><path class="arch" d="M4 22C4 10.5 11 4.5 20 4.5S36 10.5 36 22" fill="none" stroke-width="4"/><circle class="foot" cx="4" cy="22" r="3.5"/><circle class="foot" cx="36" cy="22" r="3.5"/><circle class="keystone" cx="20" cy="4.5" r="4"/></svg>`
}
