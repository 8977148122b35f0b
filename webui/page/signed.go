package page

import "time"

// Signed is what the pages share by which the territory's root signs something.
type Signed struct {
	// HoldsRoot tells whether this hub signs. Otherwise the page says which
	// command does, with the root's file.
	HoldsRoot bool
	// Version is of the roster on the screen: no other is changed by the form.
	Version uint32
	// NextCode is how long until the next code, shown after a refusal of one.
	NextCode time.Duration
}

// Signing gives the server what it fills.
func (s *Signed) Signing() *Signed { return s }
