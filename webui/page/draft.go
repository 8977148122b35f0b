package page

import (
	"fmt"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
)

// Step numbers the four steps of a mandate, from 1.
type Step int

// The steps.
const (
	StepPerson Step = 1 + iota
	StepServices
	StepTerm
	StepRecap
)

// Draft is what the pages of the four steps share.
type Draft struct {
	Base
	ID      mediation.AccompanimentID
	Step    Step
	Reached Step // the furthest step whose predecessors are filled
	Version int64
}

// Progress tells where in the four steps a page stands.
func (d *Draft) Progress() (id mediation.AccompanimentID, current, reached Step) {
	return d.ID, d.Step, d.Reached
}

// DraftPerson is the first step: who she is, and the three questions.
type DraftPerson struct {
	Draft
	Person   people.Beneficiary
	Evidence mandate.Evidence
	// Answers hold "oui", "non" or "" to the three questions. A mandate needs
	// "oui", "non" and "oui".
	Adult, Protected, Willing string
}

// Template implements Page.
func (*DraftPerson) Template() string { return "draft_person" }

// DraftServices is the second step: the lines.
type DraftServices struct {
	Draft
	Lines []LineForm
	// Allowed are the scope keys the structure may hold mandates for.
	Allowed []string
}

// LineForm is a line as it is being filled.
type LineForm struct {
	Number        int // from 1
	Scope         mandate.Scope
	Service, Acts string // Acts: one a line of text
}

// Full tells whether no further line may be added.
func (p *DraftServices) Full() bool { return len(p.Lines) >= mandate.MaxLines }

// Unplaced returns the faults that belong to no control of the lines shown.
func (p *DraftServices) Unplaced() []Fault {
	var names []string
	for _, l := range p.Lines {
		for _, part := range []string{"scope", "service", "acts"} {
			names = append(names, fmt.Sprintf("line_%d_%s", l.Number, part))
		}
	}
	return p.Elsewhere(names...)
}

// Template implements Page.
func (*DraftServices) Template() string { return "draft_services" }

// DraftTerm is the third step.
type DraftTerm struct {
	Draft
	Term mandate.Term
	Ends map[mandate.Term]time.Time // if it were granted now
}

// Template implements Page.
func (*DraftTerm) Template() string { return "draft_term" }

// DraftRecap is the fourth step: what is read aloud, and the helper's word.
type DraftRecap struct {
	Draft
	Recap    node.Recap
	Hash     string // of the recap, hexadecimal
	NextCode time.Duration
}

// Template implements Page.
func (*DraftRecap) Template() string { return "draft_recap" }
