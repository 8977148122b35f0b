package node

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"relais/node/internal/store"
)

// A TPM's storage wears out by being written: some 100,000 times are promised by
// the makers who promise anything. These bounds keep a hub under 50 a day, which
// is twenty years of them at the least busy of sites, and six at the busiest.
const (
	countEvery = 30 * time.Minute // a value more than this often, for long
	countBurst = 40               // values that may come at once after a quiet day
	countLapse = time.Hour        // after which what is only in the journal asks for one
	// countWindow is how long after it was asked a counter may be found moved: it
	// was being written when the power was cut.
	countWindow = time.Minute
)

// continuity is what the database remembers of the counter. It goes back with the
// database, and the counter does not: that is all.
//
// What is published was on the disk, with an intent that names a higher value,
// before the counter reached that value. So a database that lacks it remembers
// less than the counter says.
type continuity struct {
	Value   uint64  `json:"value"` // agreed with the counter; 0: it never was
	Place   []byte  `json:"place,omitempty"`
	Reached mark    `json:"reached"`        // what Value vouches for
	Next    *intent `json:"next,omitempty"` // under way; nil: done
	Again   int64   `json:"again"`          // Unix ms; see allows
	// Late is that something was published before the counter could vouch for it.
	Late bool `json:"late,omitempty"`
	// Without is that this hub published without any counter.
	Without bool   `json:"without,omitempty"`
	Doubt   *doubt `json:"doubt,omitempty"`
}

// mark is how far this hub had come.
type mark struct {
	At          int64  `json:"at"` // Unix ms
	Journal     int64  `json:"journal"`
	Root        []byte `json:"root"` // of the journal's tree
	Incarnation uint16 `json:"incarnation"`
	Seq         uint32 `json:"seq"` // the last place of its log that was taken
}

// intent is a mark that the counter is about to vouch for.
type intent struct {
	Value uint64 `json:"value"`
	First int64  `json:"first"` // Unix ms: before the counter was asked for the first time
	Tried int64  `json:"tried"` // Unix ms: no earlier than countWindow/2 before it was asked last
	Mark  mark   `json:"mark"`
	older bool   // it was found in the database: there may be more by now than it says
}

// verdict is what comparing the counter with the database says.
type verdict string

const (
	verdictAgreed   verdict = "agreed"
	verdictAhead    verdict = "ahead"    // the increment under way was made, and not noted
	verdictBehind   verdict = "behind"   // it was not made
	verdictRollback verdict = "rollback" // the database is older than the counter
	verdictMoved    verdict = "moved"    // the counter was copied, or is another
	verdictLost     verdict = "lost"     // there is none any more
	verdictNone     verdict = "none"     // there was none in the last run either
	verdictSilent   verdict = "silent"   // it does not answer
)

// judge compares. It is not for a hub that never agreed with a counter.
func (c continuity) judge(n Count) verdict {
	under := c.Next != nil
	writing := under && c.Next.explains(n.At)
	switch {
	case n.Value > c.Value+1 || n.Value == c.Value+1 && !under:
		return verdictRollback
	case n.Value < c.Value || !bytes.Equal(n.Place, c.Place) && !writing:
		return verdictMoved
	case n.Value > c.Value:
		return verdictAhead
	case under:
		return verdictBehind
	}
	return verdictAgreed
}

// explains tells whether a counter moved because it was being written: by any of
// the tries, since one that was not answered may have counted all the same.
func (i *intent) explains(moved time.Time) bool {
	return !moved.IsZero() && moved.Sub(time.UnixMilli(i.First)) > -clockStep && moved.Sub(time.UnixMilli(i.Tried)) < countWindow
}

// agree notes that the counter stands at a value that the database knows.
func (c *continuity) agree(n Count) {
	if c.Next != nil && c.Next.Value == n.Value {
		c.Reached, c.Next = c.Next.Mark, nil
		if c.Doubt != nil {
			c.Doubt.Counted = c.Doubt.Opened
		}
	}
	c.Value, c.Place, c.Without = n.Value, n.Place, false
}

// allows tells whether the counter may count once more, for its wear: one value
// each countEvery, of which countBurst may be saved up.
func (c continuity) allows(now time.Time) bool {
	if c.Doubt != nil && c.Doubt.Opened && !c.Doubt.Counted {
		return true // a new log must not begin under a value that an older copy sees too
	}
	return time.UnixMilli(c.Again).Sub(now) <= (countBurst-1)*countEvery
}

// spend counts a value.
func (c *continuity) spend(now time.Time) {
	next := laterOf(time.UnixMilli(c.Again), now).Add(countEvery)
	if most := now.Add(countBurst * countEvery); next.After(most) { // the clock was ahead once
		next = most
	}
	c.Again = next.UnixMilli()
}

// due tells whether the counter should vouch for more than it does: for what is
// about to be published, for what was published late, or for an hour's journal.
func (c continuity) due(now time.Time, journal int64, publishing bool) bool {
	if c.Value == 0 || c.Next != nil || journal == c.Reached.Journal || !c.allows(now) {
		return false
	}
	return publishing || c.Late || now.Sub(time.UnixMilli(c.Reached.At)) >= countLapse
}

// beginContinuity is what a new identity remembers: the value of its machine's
// counter, or the first one of another, so that a copy made on the day of its birth
// is known as one. Without an answer today the first run asks again.
func beginContinuity(counter Counter) []byte {
	var c continuity
	if counter != nil {
		count, err := counter.Count()
		if errors.Is(err, ErrNoCounter) {
			count, err = counter.Renew()
		}
		if err == nil {
			c.agree(count)
		}
		c.Without = errors.Is(err, ErrNoCounter)
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // nothing in it can fail
	}
	return text
}

// readContinuity reads what is remembered; nothing at first.
func readContinuity(r *store.Reader) (c continuity, err error) {
	text, found, err := r.Meta(metaContinuity)
	if err != nil || !found {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("meta %s: %w", metaContinuity, err)
	}
	return c, nil
}

func (c continuity) put(tx *store.Tx) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return tx.PutMeta(metaContinuity, text)
}
