package page

import (
	"time"

	"relais/node"
)

// Today is /bureau: the visits of the day, and what not to forget.
type Today struct {
	Base
	Visits    []node.AccompanimentView
	Reminders Reminders
	Hubs      []node.HubStatus
	// National is the last successful pass; zero for never. HasNational tells
	// whether the territory has a national service at all.
	National    time.Time
	HasNational bool
}

// Reminders count what waits for a helper. Each stops counting at Limit.
type Reminders struct {
	ToSign int // mandates whose signed copies are awaited
	Ending int // active mandates that end within 30 days
	ToStop int // stopped here, still active in Aidants Connect
	Late   int // of those, past their deadline
	Limit  int
}

// Template implements Page.
func (*Today) Template() string { return "today" }
