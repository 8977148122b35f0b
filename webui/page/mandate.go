package page

import (
	"slices"

	"relais/node"
	"relais/node/mandate"
)

// Mandates is the list.
type Mandates struct {
	Base
	Rows  []node.MandateRow
	State mandate.State // "" for all
	Next  mandate.ID    // zero on the last page
	// Ending narrows the list to active mandates that end within 30 days.
	Ending bool
	// Sought is what was typed to find a mandate by its paper: a code or a
	// number, when it found none.
	Sought string
	// MayForget shows the way to what was forgotten.
	MayForget bool
}

// Template implements Page.
func (*Mandates) Template() string { return "mandates" }

// MandateShow is one mandate of the structure, dossier here.
type MandateShow struct {
	Base
	Mandate node.MandateView
	// Receipt is shown once, after a stop made here.
	Receipt *Receipt
	// MayForget shows the way to forgetting the person.
	MayForget bool
}

// Usable tells whether any line may be used now.
func (p *MandateShow) Usable() bool { return usable(p.Mandate.LineVerdicts) }

func usable(verdicts []mandate.Verdict) bool {
	return slices.ContainsFunc(verdicts, func(v mandate.Verdict) bool { return v.Usable })
}

// CanStop tells whether something is left to stop.
func (p *MandateShow) CanStop() bool { return Stoppable(p.Mandate.State) }

// Template implements Page.
func (*MandateShow) Template() string { return "mandate_show" }

// Stoppable tells whether a mandate in this state can still be stopped.
func Stoppable(s mandate.State) bool {
	switch s {
	case mandate.StateStopped, mandate.StateDone, mandate.StateExpired:
		return false
	}
	return true
}

// NoticeShow is what is known here of a mandate whose dossier is elsewhere.
type NoticeShow struct {
	Base
	Notice        node.NoticeView
	StructureName string
	Receipt       *Receipt
}

// CanStop tells whether something is left to stop.
func (p *NoticeShow) CanStop() bool { return Stoppable(p.Notice.State) }

// Template implements Page.
func (*NoticeShow) Template() string { return "notice_show" }
