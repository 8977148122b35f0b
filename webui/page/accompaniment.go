package page

import (
	"relais/node"
	"relais/node/mediation"
)

// AccompanimentNew is /bureau/accompagnements/nouveau.
type AccompanimentNew struct {
	Base
	ID      mediation.AccompanimentID
	Posture mediation.Posture
	Theme   string
}

// Template implements Page.
func (*AccompanimentNew) Template() string { return "accompaniment_new" }

// AccompanimentShow is one visit.
type AccompanimentShow struct {
	Base
	Visit node.AccompanimentView
}

// Template implements Page.
func (*AccompanimentShow) Template() string { return "accompaniment_show" }
