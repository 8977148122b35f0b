package exchange

import (
	"math"
	"slices"

	"relais/node/record"
	"relais/node/territory"
)

// given is how far a peer gave us each log in this pull, whether or not its
// records were taken. Without it, a log whose records are refused would fill
// every page, and the logs behind it would never be reached. The next pull
// forgets it, and tries again.
type given map[logKey]reached

type logKey struct{ index, incarnation uint16 }

type reached struct {
	seq  uint32
	hash record.Hash
}

// whole is above the head of any log, and so passes over it. One more would
// overflow at a peer that adds one.
const whole = math.MaxUint32 - 1

// add notes a page, and tells whether it went further in any log than those
// before it did, and whether some records are of authors that the roster does
// not know: those have no place in a vector of ours.
func (g given) add(roster *territory.Roster, wires [][]byte) (moved, strangers bool) {
	for _, wire := range wires {
		e, err := record.Parse(wire)
		if err != nil || roster == nil {
			continue
		}
		index, known := roster.IndexOf(e.Hub)
		if !known {
			strangers = true
			continue
		}
		key := logKey{index, e.Incarnation}
		if e.Seq > g[key].seq && e.Seq < whole {
			g[key], moved = reached{e.Seq, e.Hash}, true
		}
	}
	return moved, strangers
}

// strangers passes over the logs of theirs that our roster knows no author of,
// and tells whether that is new.
func (g given) strangers(roster *territory.Roster, theirs record.Vector) (moved bool) {
	for _, e := range theirs.Entries {
		key := logKey{e.Index, e.Incarnation}
		if _, known := roster.AuthorAt(e.Index); !known && g[key].seq < whole {
			g[key], moved = reached{seq: whole}, true
		}
	}
	return moved
}

// raise returns our vector with every log at least as far as it was given.
func (g given) raise(v record.Vector) record.Vector {
	v.Entries = slices.Clone(v.Entries)
	for key, r := range g {
		e := record.VectorEntry{
			Index: key.index, Incarnation: key.incarnation, Seq: r.seq, Head: record.Salted(v.Salt, r.hash),
		}
		at, found := slices.BinarySearchFunc(v.Entries, e, func(x, y record.VectorEntry) int {
			switch {
			case x.Before(y):
				return -1
			case y.Before(x):
				return 1
			}
			return 0
		})
		switch {
		case found && v.Entries[at].Seq < e.Seq:
			v.Entries[at] = e
		case !found && len(v.Entries) < record.MaxVectorEntries:
			v.Entries = slices.Insert(v.Entries, at, e)
		}
	}
	return v
}
