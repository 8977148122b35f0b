package page

import (
	"fmt"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/mediation"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// SignIn is /connexion.
type SignIn struct {
	Base
	Login string // as typed
	// NextCode is how long until the next code, shown after a refusal.
	NextCode time.Duration
	// FirstSteps is true while no account exists on this hub.
	FirstSteps bool
}

// Template implements Page.
func (*SignIn) Template() string { return "signin" }

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
	Limit  int
}

// Template implements Page.
func (*Today) Template() string { return "today" }

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
	// Answers hold "oui", "non" or "" to the three questions.
	Adult, Unprotected, Willing string
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

// Mandates is the list.
type Mandates struct {
	Base
	Rows  []node.MandateRow
	State mandate.State // "" for all
	Next  mandate.ID    // zero on the last page
}

// Template implements Page.
func (*Mandates) Template() string { return "mandates" }

// MandateShow is one mandate of the structure, dossier here.
type MandateShow struct {
	Base
	Mandate node.MandateView
	// Receipt is shown once, after a stop made here.
	Receipt *Receipt
}

// Usable tells whether any line may be used now.
func (p *MandateShow) Usable() bool {
	for _, v := range p.Mandate.LineVerdicts {
		if v.Usable {
			return true
		}
	}
	return false
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

// MandatePaper is the two copies, to be printed and signed.
type MandatePaper struct {
	Base
	Mandate node.MandateView
	Address string // of the structure
	Copies  []Copy
	// Code is the stop code in its shown form; empty once handed over.
	Code string
}

// Copy is one of the two sheets. Only the person's carries the stop code.
type Copy struct {
	Person bool
	Code   string // "" on the structure's copy
	QR     QR
}

// QR is a code to be drawn: Path is an SVG path over a square of Size modules.
type QR struct {
	Size int
	Path string
}

// Template implements Page.
func (*MandatePaper) Template() string { return "mandate_paper" }

// ActNew records a démarche.
type ActNew struct {
	Base
	Mandate       node.MandateView
	ID            mandate.ActID
	Line          uint8
	Channel       mandate.ActChannel
	Present       string // "oui", "non" or ""
	SignsIn, Pays bool
	Note          string
}

// Template implements Page.
func (*ActNew) Template() string { return "act_new" }

// StopNew stops a mandate, or lines of it, at the desk.
type StopNew struct {
	Base
	Mandate mandate.ID
	State   mandate.State
	Stops   []node.StopView
	// Lines are known to the hubs that serve the structure only; elsewhere the
	// whole mandate is stopped.
	Lines  []mandate.Line
	Chosen []uint8
	Reason record.Reason
	// Foreign is true for a mandate of another structure: its name, and the
	// hub whose name goes with the stop.
	Foreign       bool
	StructureName string
}

// Picked tells whether a line is chosen.
func (p *StopNew) Picked(line uint8) bool {
	for _, l := range p.Chosen {
		if l == line {
			return true
		}
	}
	return false
}

// Template implements Page.
func (*StopNew) Template() string { return "stop_new" }

// Territory is /bureau/territoire.
type Territory struct {
	Base
	View         node.TerritoryView
	Pass         node.NationalPass
	HasPass      bool
	SoftwareHubs []territory.Hub
}

// Template implements Page.
func (*Territory) Template() string { return "territory" }

// Problem is any page that says no: 403, 404, 405, 413, 421, 429, 500, 503.
type Problem struct {
	Base
	Status  int
	Message string
	Wait    time.Duration
	Home    string // where to go from here
}

// Template implements Page.
func (*Problem) Template() string { return "problem" }
