// Package page says what each screen and paper of Relais shows: one struct per
// page, embedding Base. Templates read them and nothing else, so a page can be
// drawn, tested and photographed without a hub; Samples does so for every
// screen and state.
//
// Pages hold values, not sentences: times, states and keys become French in the
// templates, through package locale.
package page

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"relais/node/fault"
)

// Audience is who a page is drawn for: it chooses the layout.
type Audience string

// The audiences.
const (
	Desk   Audience = "desk"   // signed in, at the desk
	Office Audience = "office" // signed in, for the département
	Door   Audience = "door"   // at the desk's host name, not signed in
	Kiosk  Audience = "kiosk"  // anybody, at the kiosk's host name
	Paper  Audience = "paper"  // to be printed
)

// Page is what the renderer needs to know of any page. Every page struct
// provides it by embedding Base and naming its template.
type Page interface {
	// Template is the name of the file under webui/template, without .tmpl.
	Template() string
	// Common is the embedded Base.
	Common() *Base
}

// Base is what every page shares. Handlers fill the page's own fields; the
// server fills these.
type Base struct {
	Title    string // of the page, also its first heading
	Audience Audience
	Site     string // "Valbrume"
	Static   string // path of the assets, "/static/0123abcd"
	Now      time.Time
	Zone     *time.Location
	// Section is the entry of the menu that holds the page: today, mandates,
	// territory; for the département glance, invite, structures, registry; empty
	// for none.
	Section string
	// Helper and Structure name who is signed in; empty on other pages.
	Helper, Structure string
	Freshness         Freshness
	// Software is true when this hub keeps its keys in software: a red strip says
	// so on every page of the desk and of the département, signed in or not.
	Software bool
	// Flash is a sentence about what was just done, shown once.
	Flash string
	// Faults are what prevented it; the title then begins with "Erreur : ".
	Faults []Fault
}

// Freshness is how old the information is, as the header says it.
type Freshness struct {
	At             time.Time // zero for never
	Seen, Expected int       // hubs, this one included
}

// Fault is something to mend before going on.
type Fault struct {
	Field   string // name of the control at fault; "" when it is the whole
	Message string // French
	Wait    time.Duration
}

// Common implements part of Page.
func (b *Base) Common() *Base { return b }

// Clock gives the templates the present and the zone to write times in.
func (b *Base) Clock() (time.Time, *time.Location) {
	if b.Zone == nil {
		return b.Now, time.UTC
	}
	return b.Now, b.Zone
}

// Fail notes a fault: what the person reads, beside the control it names.
func (b *Base) Fail(err error) {
	f := fault.Of(err)
	b.Faults = append(b.Faults, Fault{Field: f.Field, Message: f.Message, Wait: f.Wait})
}

// Failed tells whether the page shows any fault.
func (b *Base) Failed() bool { return len(b.Faults) > 0 }

// Wait is how long to wait before trying again, which the fault's message says;
// zero for not at all.
func (b *Base) Wait() time.Duration {
	var longest time.Duration
	for _, f := range b.Faults {
		longest = max(longest, f.Wait)
	}
	return longest
}

// FieldError is a fault beside its control.
type FieldError struct {
	ID      string // of the element that says it: the control's name and "-erreur"
	Message string
}

// ErrorOf returns the fault of a control, or nil.
func (b *Base) ErrorOf(name string) *FieldError {
	for _, f := range b.Faults {
		if f.Field == name {
			return &FieldError{ID: name + "-erreur", Message: f.Message}
		}
	}
	return nil
}

// Elsewhere returns the faults that belong to none of the controls named: the
// page shows them at its top.
func (b *Base) Elsewhere(names ...string) []Fault {
	var rest []Fault
	for _, f := range b.Faults {
		if !slices.Contains(names, f.Field) {
			rest = append(rest, f)
		}
	}
	return rest
}

// Described returns the attributes that tie a control to its hint and to its
// fault. The first control at fault also takes the focus.
func (b *Base) Described(name, hint string) template.HTMLAttr {
	ids := hint
	attrs := ""
	if e := b.ErrorOf(name); e != nil {
		if ids != "" {
			ids += " "
		}
		ids += e.ID
		attrs = ` aria-invalid="true"`
		if b.Faults[0].Field == name {
			attrs += ` autofocus`
		}
	}
	if slices.ContainsFunc(b.Faults, func(f Fault) bool { return f.Field == "" }) {
		ids = strings.TrimPrefix(ids+" erreur", " ") // of the whole form, at its top
	}
	if ids != "" {
		attrs += ` aria-describedby="` + template.HTMLEscapeString(ids) + `"`
	}
	return template.HTMLAttr(attrs) // #nosec: built from names in our templates, escaped
}
