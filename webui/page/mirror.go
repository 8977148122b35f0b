package page

import (
	"fmt"
	"slices"
	"time"

	"relais/node"
	"relais/node/mandate"
)

// MirrorsNew enters mandates already made in Aidants Connect, one or several.
type MirrorsNew struct {
	Base
	ID       node.BatchID
	Entries  []MirrorForm
	Paper    bool          // the signed paper of each is at hand
	NextCode time.Duration // until the next code, after a refusal of one
}

// MirrorForm is one of them as it is being filled: six fields.
type MirrorForm struct {
	Number int // from 1
	mandate.Mirror
}

// Name is the name of a control of the entry.
func (f MirrorForm) Name(field string) string { return fmt.Sprintf("entry_%d_%s", f.Number, field) }

// Picked tells whether a scope is ticked.
func (f MirrorForm) Picked(s mandate.Scope) bool { return slices.Contains(f.Scopes, s) }

// Empty tells whether nothing was filled.
func (f MirrorForm) Empty() bool {
	return f.Person.Name.IsZero() && f.Person.BirthDate == "" && f.Made == "" && f.Term == "" && len(f.Scopes) == 0
}

// Full tells whether no further entry may be added.
func (p *MirrorsNew) Full() bool { return len(p.Entries) >= node.MaxMirrors }

// MirrorFields are the fields of an entry, in their order.
var MirrorFields = []string{"given", "family", "birth_date", "made", "term", "scopes"}

// Unplaced returns the faults that belong to no control shown.
func (p *MirrorsNew) Unplaced() []Fault {
	names := []string{"paper", "code"}
	for _, e := range p.Entries {
		for _, field := range MirrorFields {
			names = append(names, e.Name(field))
		}
	}
	return p.Elsewhere(names...)
}

// Template implements Page.
func (*MirrorsNew) Template() string { return "mirrors_new" }
