package node

import (
	"slices"
	"time"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// maxHeld is how many records of one log may wait for a predecessor. Above, they
// are not kept: the exchange fetches them again in order.
const maxHeld = 1024

// absorption takes signed records into what this hub knows, in one transaction.
// Its outcome depends on the records alone, not on their order: record.Ledger
// says the same of the same set, and the tests compare the two.
type absorption struct {
	tx      *store.Tx
	self    territory.HubID
	roster  *territory.Roster
	authors map[territory.HubID]territory.Author // met so far: reading a key takes time
	logs    map[record.LogID]*store.Log
	touched map[record.MandateID]bool // mandates to weigh again
	forked  map[record.LogID]bool     // logs with two histories, whose hash is to be found again
	// undated tells whether an author's clock is known to be wrong; nil: nobody's is.
	undated func(territory.HubID) bool
	// ahead is how far this hub's clock is ahead of its peers' median.
	ahead time.Duration
	// silenced are the stops that a new roster cuts off and that are to be said again.
	silenced []silenced
}

func (n *Node) absorbing(tx *store.Tx, roster *territory.Roster) *absorption {
	return &absorption{
		tx, n.self, roster,
		map[territory.HubID]territory.Author{},
		map[record.LogID]*store.Log{},
		map[record.MandateID]bool{},
		map[record.LogID]bool{},
		nil, 0, nil,
	}
}

func (a *absorption) log(id record.LogID) (*store.Log, error) {
	if l := a.logs[id]; l != nil {
		return l, nil
	}
	l, err := a.tx.Log(id)
	if err != nil {
		return nil, err
	}
	a.logs[id] = &l
	return &l, nil
}

// add keeps a signed record that is not here yet, and lets it say what it may:
// a revocation at once, the rest when nothing before it is missing. It returns
// whether the record was kept, and whether it waits for a predecessor.
func (a *absorption) add(e *record.Envelope, source territory.HubID) (kept, held bool, err error) {
	log, err := a.log(e.LogID)
	if err != nil {
		return false, false, err
	}
	if room, err := a.room(log, e); err != nil || !room {
		return false, false, err
	}
	row := store.RecordRow{
		Place: e.Place, Hash: e.Hash, Prev: e.Prev, Kind: e.Kind, Time: e.Time,
		Payload: e.Payload, Signature: e.Signature[:], Received: a.tx.Now, Source: source,
	}
	if row.ID, err = a.tx.AddRecord(row); err != nil {
		return false, false, err
	}
	if err := a.checkFork(log, e.Place, e.Hash, e.Prev); err != nil {
		return false, false, err
	}
	if err := a.sayAtOnce(row, e); err != nil {
		return false, false, err
	}
	if e.Seq <= log.Head { // another history of a place already passed
		err = a.sayInOrder(row, e, log)
	} else if e.Seq == log.Head+1 {
		err = a.advance(log)
	}
	if err != nil {
		return false, false, err
	}
	a.forked[log.LogID] = log.Forked != 0
	return true, e.Seq > log.Head, a.tx.PutLog(*log)
}

// rehash finds the hash again of every log with two histories that was touched:
// it is over all their variants.
func (a *absorption) rehash() error {
	for id, forked := range a.forked {
		log := a.logs[id]
		if !forked || log == nil {
			continue
		}
		var err error
		if log.Hash, err = hashUpTo(a.tx.Reader, *log, log.Head); err != nil {
			return err
		}
		if err := a.tx.PutLog(*log); err != nil {
			return err
		}
	}
	return nil
}

// hashUpTo is record.LogHash of what is signed of a log up to a place.
func hashUpTo(r *store.Reader, log store.Log, seq uint32) (record.Hash, error) {
	from := seq
	if log.Forked != 0 {
		from = min(from, log.Forked)
	}
	variants, err := r.Variants(log.LogID, from, seq)
	return record.LogHash(variants), err
}

// room tells whether one more record of a log may be kept: not one too many that
// waits, nor one of a log too many of its author. What is turned away is not
// lost: it comes again.
func (a *absorption) room(log *store.Log, e *record.Envelope) (bool, error) {
	if log.Head == 0 {
		others, err := a.tx.CountOtherLogs(log.LogID)
		if err != nil || others >= record.MaxLogs {
			return false, err
		}
	}
	if e.Seq <= log.Head+1 {
		return true, nil
	}
	held, err := a.tx.CountHeld(e.LogID, log.Head, maxHeld)
	return held < maxHeld, err
}

// checkFork compares a record just kept with what stands at its place and beside
// it. Two records at one place, or a link that does not hold, mean that the log
// had two histories from there.
func (a *absorption) checkFork(log *store.Log, p record.Place, h record.Hash, prev [16]byte) error {
	around, err := a.tx.Neighbours(p)
	if err != nil {
		return err
	}
	fork := log.Forked
	at := func(seq uint32) {
		if fork == 0 || seq < fork {
			fork = seq
		}
	}
	for _, n := range around {
		switch {
		case n.Seq == p.Seq && n.Hash != h:
			at(p.Seq)
		case n.Seq == p.Seq-1 && prev != [16]byte(n.Hash[:16]):
			at(n.Seq)
		case n.Seq == p.Seq+1 && n.Prev != [16]byte(h[:16]):
			at(p.Seq)
		}
	}
	if fork == log.Forked {
		return nil
	}
	log.Forked = fork
	return a.tx.Quarantine(log.LogID, fork)
}

// advance moves a log's head over every record that now follows without a gap.
func (a *absorption) advance(log *store.Log) error {
	for {
		rows, err := a.tx.RecordsAt(record.Place{LogID: log.LogID, Seq: log.Head + 1})
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(r store.RecordRow) bool { return r.Signature == nil })
		if len(rows) == 0 {
			return nil
		}
		log.Head++
		log.Hash = rows[0].Hash // for a log with one history; rehash has the others
		for _, row := range rows {
			if row.Source.IsZero() {
				continue // made here: it said what it says when it was made
			}
			e, err := row.Decode()
			if err != nil {
				return err
			}
			if err := a.sayInOrder(row, e, log); err != nil {
				return err
			}
		}
	}
}
