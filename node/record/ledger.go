package record

import (
	"maps"
	"slices"

	"relais/node/territory"
)

// Ledger is a set of records whose signatures hold, and what they say together.
// What it answers depends on the set alone, never on the order in which records
// came or how often: Merge is commutative, associative and idempotent. The store
// keeps the same answers up to date record by record, and is tested against it.
type Ledger struct {
	logs map[LogID]map[uint32]map[Hash]Record // by log, seq, chain hash
}

// Add puts one record into the set.
func (l *Ledger) Add(h Hash, r Record) {
	if l.logs == nil {
		l.logs = map[LogID]map[uint32]map[Hash]Record{}
	}
	if l.logs[r.LogID] == nil {
		l.logs[r.LogID] = map[uint32]map[Hash]Record{}
	}
	if l.logs[r.LogID][r.Seq] == nil {
		l.logs[r.LogID][r.Seq] = map[Hash]Record{}
	}
	l.logs[r.LogID][r.Seq][h] = r
}

// Holds tells whether a record is in the set.
func (l *Ledger) Holds(h Hash, r Record) bool {
	_, held := l.logs[r.LogID][r.Seq][h]
	return held
}

// Merge adds the records of another set.
func (l *Ledger) Merge(o *Ledger) {
	for r, h := range o.all() {
		l.Add(h, r)
	}
}

func (l *Ledger) all() func(yield func(Record, Hash) bool) {
	return func(yield func(Record, Hash) bool) {
		for _, log := range l.logs {
			for _, at := range log {
				for h, r := range at {
					if !yield(r, h) {
						return
					}
				}
			}
		}
	}
}

// Head returns the highest seq up to which the log has no gap: 0 for none.
func (l *Ledger) Head(log LogID) uint32 {
	var n uint32
	for len(l.logs[log][n+1]) > 0 {
		n++
	}
	return n
}

// HeadHash returns what a vector shows of the log: LogHash of all that the set
// holds of it up to its head.
func (l *Ledger) HeadHash(log LogID) Hash {
	var variants []Variant
	for seq := uint32(1); seq <= l.Head(log); seq++ {
		at := l.logs[log][seq]
		for _, h := range slices.SortedFunc(maps.Keys(at), func(x, y Hash) int { return slices.Compare(x[:], y[:]) }) {
			variants = append(variants, Variant{seq, h, at[h].Prev})
		}
	}
	return LogHash(variants)
}

// ForkedAt returns the lowest seq at which the log is known to have had two
// histories, and 0 for none: two records at one place, or a record whose
// predecessor is not the one at the place before it.
func (l *Ledger) ForkedAt(log LogID) uint32 {
	for _, seq := range slices.Sorted(maps.Keys(l.logs[log])) {
		here, next := l.logs[log][seq], l.logs[log][seq+1]
		if len(here) > 1 {
			return seq
		}
		for _, r := range next {
			for h := range here {
				if !r.Follows(h) {
					return seq
				}
			}
		}
	}
	return 0
}

// Follows tells whether r names this hash as its predecessor's.
func (r Record) Follows(h Hash) bool { return r.Prev == [16]byte(h[:16]) }

// Standing returns what the set says of one mandate under a roster, and whether
// any notice of it was granted on a forked log, at the fork or after.
func (l *Ledger) Standing(id MandateID, roster *territory.Roster) (s Standing, quarantined bool) {
	var claims []Claim
	var stops []*Revocation
	for r, h := range l.all() {
		if !l.counts(r, h, roster) {
			continue
		}
		switch b := r.Body.(type) {
		case *Revocation:
			stops = append(stops, b)
		case *Notice:
			if b.Mandate == id && r.Seq <= l.Head(r.LogID) && !l.late(r) {
				claims = append(claims, Claim{b.Stop, l.closed(b.Structure, r.Place, roster)})
				fork := l.ForkedAt(r.LogID)
				quarantined = quarantined || fork != 0 && fork <= r.Seq
			}
		}
	}
	return Weigh(id, claims, stops, roster.Territory), quarantined
}

// counts tells whether a record may count, wherever it stands in its log.
func (l *Ledger) counts(r Record, h Hash, roster *territory.Roster) bool {
	author, known := roster.Author(r.Hub)
	return known && r.Territory == roster.Territory &&
		author.Admits(r.Incarnation, r.Seq, h) && Admit(r, author, roster) == ""
}

// Suspended tells whether the set suspends a helper: a suspension that no
// reinstatement lifts.
func (l *Ledger) Suspended(helper territory.HelperID, roster *territory.Roster) bool {
	for r, h := range l.all() {
		b, ok := r.Body.(*Helper)
		if ok && b.Helper == helper && b.Lifts == nil && r.Seq <= l.Head(r.LogID) && l.counts(r, h, roster) &&
			!l.lifted(r, helper, roster) {
			return true
		}
	}
	return false
}

// lifted tells whether a reinstatement names a suspension. By another author it
// must not be dated before it.
func (l *Ledger) lifted(s Record, helper territory.HelperID, roster *territory.Roster) bool {
	for r, h := range l.all() {
		b, ok := r.Body.(*Helper)
		if !ok || b.Helper != helper || b.Lifts == nil || r.Seq > l.Head(r.LogID) || !l.counts(r, h, roster) {
			continue
		}
		author, known := roster.AuthorAt(b.Lifts.Index)
		if known && author.ID == s.Hub && b.Lifts.Incarnation == s.Incarnation && b.Lifts.Seq == s.Seq &&
			(r.Hub == s.Hub || !r.Time.Before(s.Time)) {
			return true
		}
	}
	return false
}

func (l *Ledger) closed(id territory.StructureID, p Place, roster *territory.Roster) bool {
	for r, h := range l.all() {
		b, ok := r.Body.(*Close)
		if !ok || b.Structure != id || r.Seq > l.Head(r.LogID) || !l.counts(r, h, roster) {
			continue
		}
		for _, cut := range b.Cuts {
			author, known := roster.AuthorAt(cut.Index)
			if known && author.ID == p.Hub && cut.Incarnation == p.Incarnation && p.Seq <= cut.Seq {
				return true
			}
		}
	}
	return false
}

// late tells whether a record is dated before the one it follows.
func (l *Ledger) late(r Record) bool {
	for _, before := range l.logs[r.LogID][r.Seq-1] {
		if Late(before.Time, r.Time) {
			return true
		}
	}
	return false
}
