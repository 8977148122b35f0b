package record

import (
	"time"

	"relais/node/territory"
)

// Limits on time. Records that break them are kept and say nothing.
const (
	// MaxTerm is the longest mandate: 365 days, and a day of grace for a mirror
	// made by another clock.
	MaxTerm = 366 * 24 * time.Hour
	// MaxClockSkew is how far a clock may be from its peers' before its hub
	// grants nothing, and how far in its record's future a mandate may begin.
	MaxClockSkew = 5 * time.Minute
)

// maxLines is the most lines a mandate may have: a bit each in a revocation.
const maxLines = 32

// Bar is why a record that is stored and relayed does not count. The empty value
// means that it does.
type Bar string

// The bars.
const (
	BarKind   Bar = "kind"   // of a kind or form that this version cannot read
	BarForm   Bar = "form"   // states what no mandate can be
	BarTime   Bar = "time"   // outside the limits on time
	BarAuthor Bar = "author" // not for this author to say
	BarCode   Bar = "code"   // its stop code is not that of the mandate it names
	BarCut    Bar = "cut"    // above the end that the roster gives its log
)

// Admit says whether a record of this author may count in the territory of this
// roster, and if not why. It looks at the record alone: place in the log, stop
// codes and other records are for Ledger.
//
//   - notice: a hub that serves the structure, for an existing structure
//   - revocation: any hub and the national service; with channel kiosk, and with
//     no other, a code
//   - close: a hub that serves the structure, and the national service
//   - helper: a suspension, any hub and the national service; a reinstatement,
//     the author of the suspension, later in its logs, and the national service
//   - floor: anyone, of its own log
func Admit(r Record, by territory.Author, roster *territory.Roster) Bar {
	switch b := r.Body.(type) {
	case *Notice:
		return admitNotice(b, r.Time, by, roster)
	case *Revocation:
		return admitRevocation(b)
	case *Close:
		return admitFor(b.Structure, by, roster)
	case *Helper:
		return admitHelper(b, r.Place, by)
	case *Floor:
		if b.Seq >= r.Seq {
			return BarForm
		}
		return ""
	default:
		return BarKind
	}
}

func admitNotice(n *Notice, at time.Time, by territory.Author, roster *territory.Roster) Bar {
	switch {
	case n.Mandate.IsZero(), n.Lines == 0, n.Lines > maxLines,
		n.Regime != Local && n.Regime != AidantsConnect:
		return BarForm
	case !n.Start.Before(n.End), n.End.Sub(n.Start) > MaxTerm, n.Start.Sub(at) > MaxClockSkew:
		return BarTime
	case by.National:
		return BarAuthor // it may stop, never grant
	}
	return admitFor(n.Structure, by, roster)
}

// admitRevocation is generous: stopping is always easy. Who it comes from was
// settled by the signature; the code, if any, is settled against the notice.
func admitRevocation(r *Revocation) Bar {
	if r.Mandate.IsZero() || (r.Channel == ChannelKiosk) != (r.Code != nil) {
		return BarForm
	}
	return ""
}

// admitHelper lets nobody lift what another wrote, nor what is not written yet.
func admitHelper(h *Helper, at Place, by territory.Author) Bar {
	switch {
	case h.Lifts == nil || by.National && h.Lifts.Index != by.Index:
		return ""
	case h.Lifts.Index != by.Index:
		return BarAuthor
	case h.Lifts.Incarnation > at.Incarnation || h.Lifts.Incarnation == at.Incarnation && h.Lifts.Seq >= at.Seq:
		return BarForm
	}
	return ""
}

func admitFor(id territory.StructureID, by territory.Author, roster *territory.Roster) Bar {
	s, known := roster.Structure(id)
	if !known || !by.National && !s.ServedBy(by.ID) {
		return BarAuthor
	}
	return ""
}

// Late says whether a notice is dated before the record it follows: time only
// rises in a log, so such a notice does not count.
func Late(before, at time.Time) bool { return at.Before(before) }
