package page

import "relais/node"

// StopCode asks to confirm a stop by the code of a paper, at the desk.
type StopCode struct {
	Base
	Code    string       // shown form
	Notices []CodeNotice // every mandate that it stops
}

// CodeNotice is a mandate that a code stops, and the name of its structure.
type CodeNotice struct {
	node.NoticeView
	StructureName string
}

// CanStop tells whether something is left to stop.
func (p *StopCode) CanStop() bool {
	for _, n := range p.Notices {
		if Stoppable(n.State) {
			return true
		}
	}
	return false
}

// Template implements Page.
func (*StopCode) Template() string { return "stop_code" }
