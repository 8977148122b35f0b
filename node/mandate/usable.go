package mandate

import (
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// Why is the reason a line may not be used. The empty value means it may.
type Why string

// The reasons, in the order they are looked at.
const (
	WhyUnknown     Why = "unknown"     // no notice
	WhyConflict    Why = "conflict"    // two notices with one id: none is usable
	WhyQuarantined Why = "quarantined" // granted on a forked log, after the fork
	WhyNoSuchLine  Why = "no_such_line"
	WhyStopped     Why = "stopped" // revoked
	WhyDone        Why = "done"    // done with before its end
	WhyClock       Why = "clock"   // made by a hub whose clock is wrong: it waits
	WhyNotStarted  Why = "not_started"
	WhyExpired     Why = "expired"
	WhyStructure   Why = "structure" // suspended, closed, or not open for the scope
	WhyHelper      Why = "helper"    // suspended, or not of this structure
	WhyPaper       Why = "paper"     // the signed copy is still awaited
)

// Verdict is the answer to "may this line be used now?".
type Verdict struct {
	Usable bool
	Why    Why
	Stop   *Stop     // with WhyStopped: the earliest received
	At     time.Time // the moment concerned: expiry, end, stop
}

// Stop is a revocation as this hub knows it.
type Stop struct {
	Lines      uint32 // 0 is all
	Reason     record.Reason
	Channel    record.Channel
	Claimed    time.Time
	ReceivedAt time.Time // when this hub learned it: refusals count from here
	Where      territory.HubID
}

// Moment is when the stop was made, as far as this hub was told.
func (s Stop) Moment() time.Time {
	if s.Claimed.IsZero() {
		return s.ReceivedAt
	}
	return s.Claimed
}

// Covers tells whether the stop concerns the line; line 0 is the whole.
func (s Stop) Covers(line uint8) bool { return s.Lines == 0 || s.Lines&bit(line) != 0 }

// Facts are all that Usable looks at, gathered by who asks. The first group is
// known wherever the notice is; the second where the mandate's dossier is.
type Facts struct {
	Known       bool // its notice is here
	Conflict    bool // two notices bear its id
	Quarantined bool // its notice stands on a forked log, after the fork
	Undated     bool // its author's clock is wrong, and was when the notice came
	Lines       uint8
	Start, End  time.Time
	Stopped     uint32 // lines that revocations name; see StoppedAll
	StoppedAll  bool   // a revocation stops the whole
	// Stops are the revocations themselves. They say when and where, and that it
	// was done with rather than stopped; what is refused does not depend on them.
	Stops []Stop
	Open  bool // the structure is open in the territory

	Held       bool   // the dossier is here
	OpenLines  uint32 // lines whose scope the territory allows the structure
	HelperOK   bool   // who asks belongs to the structure and is not suspended
	PaperReady bool   // both copies signed, one handed over
}

// Usable answers whether the line may be used at the moment now. The end is
// exclusive: at End exactly, the mandate is over.
func Usable(f Facts, line uint8, now time.Time) Verdict {
	if v := f.standing(now, bit(line)); v.Why != "" {
		if v.Why == WhyStopped {
			v.Stop = f.firstStop(line)
		}
		return v
	}
	switch {
	case !f.Open || !f.Held || f.OpenLines&bit(line) == 0:
		return Verdict{Why: WhyStructure}
	case !f.HelperOK:
		return Verdict{Why: WhyHelper}
	case !f.PaperReady:
		return Verdict{Why: WhyPaper}
	}
	return Verdict{Usable: true}
}

// standing looks at what is true of the mandate whoever asks, for the lines of
// want. An empty want is no line of any mandate.
func (f Facts) standing(now time.Time, want uint32) Verdict {
	switch {
	case !f.Known:
		return Verdict{Why: WhyUnknown}
	case f.Conflict:
		return Verdict{Why: WhyConflict}
	case f.Quarantined:
		return Verdict{Why: WhyQuarantined}
	case want == 0 || want&^AllLines(f.Lines) != 0:
		return Verdict{Why: WhyNoSuchLine}
	case !f.DoneAt().IsZero():
		return Verdict{Why: WhyDone, At: f.DoneAt()}
	case f.StoppedAll || f.Stopped&want == want:
		return Verdict{Why: WhyStopped, At: f.stoppedAt(want)}
	case f.Undated:
		return Verdict{Why: WhyClock}
	case now.Before(f.Start):
		return Verdict{Why: WhyNotStarted, At: f.Start}
	case !now.Before(f.End):
		return Verdict{Why: WhyExpired, At: f.End}
	}
	return Verdict{}
}

// DoneAt is when the mandate was done with before its end (ended_at), as the
// earliest stop of the whole says; zero when it was not.
func (f Facts) DoneAt() time.Time {
	if !f.StoppedAll {
		return time.Time{}
	}
	if s := f.firstStop(0); s != nil && s.Reason == record.ReasonDone {
		return s.Moment()
	}
	return time.Time{}
}

// FirstStop is the earliest received stop, of the whole or of any line; nil when
// there is none or the caller gave none.
func (f Facts) FirstStop() *Stop {
	var first *Stop
	for i := range f.Stops {
		if s := &f.Stops[i]; first == nil || s.ReceivedAt.Before(first.ReceivedAt) {
			first = s
		}
	}
	return first
}

// firstStop is the earliest received stop of the line, or of the whole for line
// 0, if the caller gave them.
func (f Facts) firstStop(line uint8) *Stop {
	var first *Stop
	for i := range f.Stops {
		s := &f.Stops[i]
		if s.Covers(line) && (first == nil || s.ReceivedAt.Before(first.ReceivedAt)) {
			first = s
		}
	}
	return first
}

// stoppedAt is the moment from which all the lines of want were stopped; zero
// when the caller gave no stops.
func (f Facts) stoppedAt(want uint32) time.Time {
	var at time.Time
	for _, n := range Numbers(want) {
		if s := f.firstStop(n); s != nil && s.ReceivedAt.After(at) {
			at = s.ReceivedAt
		}
	}
	return at
}
