package mandate

import (
	"time"

	"relais/node/id"
	"relais/node/people"
)

type actKind struct{}

func (actKind) Prefix() string { return "t" }

// ActID names an act.
type ActID = id.ID[actKind]

// Act is one use of a line (démarche effectuée).
type Act struct {
	ID      ActID
	Mandate ID
	Line    uint8
	Helper  people.HelperID
	Channel ActChannel
	// Present tells whether the person was there.
	Present bool
	// SignsIn and Pays say what the act needed: a local mandate allows neither
	// in her absence.
	SignsIn bool
	Pays    bool
	Note    string // sealed; may be empty
	At      time.Time
}

// ActChannel is how an act was done.
type ActChannel string

// The channels of an act.
const (
	ActOnline ActChannel = "online"
	ActPhone  ActChannel = "phone"
	ActPaper  ActChannel = "paper"
	ActEmail  ActChannel = "email"
	ActDesk   ActChannel = "desk" // at another organisation's counter
)
