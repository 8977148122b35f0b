package record

import (
	"slices"

	"relais/node/territory"
)

// Standing is what the records of a territory say together of one mandate.
type Standing struct {
	// Notices that count. None: nothing is known. Two or more: they contradict
	// each other, and none is usable.
	Notices int
	// All of it is stopped, or only the Lines with a bit: n-1 for line n.
	All   bool
	Lines uint32
}

// Conflict tells whether two notices claim the same mandate.
func (s Standing) Conflict() bool { return s.Notices > 1 }

// Stops tells whether line n (from 1) is stopped.
func (s Standing) Stops(n uint8) bool {
	return s.All || n >= 1 && n <= maxLines && s.Lines&(1<<(n-1)) != 0
}

// Claim is what a notice that counts brings to the standing of its mandate.
type Claim struct {
	Stop   Commitment
	Closed bool // its structure closed it, by a cut at or above its place
}

// Weigh returns the standing of one mandate from the notices that claim it and
// from revocations that name it or carry a code; the order and repetition of
// revocations do not matter. Nothing is ever taken back: with more revocations,
// more is stopped.
//
// A revocation with a code stops whatever the code commits to, entirely, be it
// the mandate that it names or another; it stops nothing else.
func Weigh(id MandateID, claims []Claim, stops []*Revocation, code territory.Code) Standing {
	s := Standing{Notices: len(claims)}
	for _, c := range claims {
		s.All = s.All || c.Closed
	}
	for _, r := range stops {
		switch {
		case r.Code != nil:
			s.All = s.All || opens(r.Code, claims, code)
		case r.Mandate != id:
		case r.Lines == 0:
			s.All = true
		default:
			s.Lines |= r.Lines
		}
	}
	return s
}

// Mismatch tells whether a revocation by code names a mandate that is known and
// that its code does not open: inert, and worth an alarm.
func Mismatch(r *Revocation, claims []Claim, code territory.Code) bool {
	return r.Code != nil && len(claims) > 0 && !opens(r.Code, claims, code)
}

func opens(c *StopCode, claims []Claim, code territory.Code) bool {
	commitment := c.Commitment(code)
	return slices.ContainsFunc(claims, func(c Claim) bool { return c.Stop == commitment })
}
