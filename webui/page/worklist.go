package page

import "relais/node"

// Worklist is /bureau/a-faire: what was stopped here and is to be stopped in Aidants
// Connect, by hand, person by person.
type Worklist struct {
	Base
	List node.Worklist
	Day  string // "fait le", as typed
}

// Late counts the items whose deadline has passed.
func (p *Worklist) Late() (n int) {
	for _, g := range p.List.Waiting {
		for _, w := range g.Items {
			if w.Late(p.Now) {
				n++
			}
		}
	}
	return n
}

// Template implements Page.
func (*Worklist) Template() string { return "worklist" }
