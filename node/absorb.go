package node

import (
	"slices"

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
	roster  *territory.Roster
	authors map[territory.HubID]territory.Author // met so far: reading a key takes time
	logs    map[record.LogID]*store.Log
	touched map[record.MandateID]bool // mandates to weigh again
}

func absorbing(tx *store.Tx, roster *territory.Roster) *absorption {
	return &absorption{
		tx, roster, map[territory.HubID]territory.Author{}, map[record.LogID]*store.Log{}, map[record.MandateID]bool{},
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
	if e.Seq > log.Head+1 {
		n, err := a.tx.CountHeld(e.LogID, log.Head, maxHeld)
		if err != nil || n >= maxHeld {
			return false, false, err
		}
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
	return true, e.Seq > log.Head, a.tx.PutLog(*log)
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
		log.Hash = rows[0].Hash // the lowest, so that all hubs show the same head
		for _, row := range rows {
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

// sayAtOnce lets a revocation say what it says, wherever it stands in its log.
func (a *absorption) sayAtOnce(row store.RecordRow, e *record.Envelope) error {
	v, ok := e.Body.(*record.Revocation)
	if !ok {
		return nil
	}
	if bar := a.admit(e); bar != "" {
		return a.tx.BarRecord(row.ID, bar)
	}
	if err := a.tx.AddRevocation(row.ID, e.Place, v, e.Territory); err != nil {
		return err
	}
	return a.touchStopped(v)
}

// sayInOrder lets any other record say what it says, once nothing before it is
// missing.
func (a *absorption) sayInOrder(row store.RecordRow, e *record.Envelope, log *store.Log) error {
	if e.Kind == record.KindRevocation {
		if _, unread := e.Body.(*record.Unknown); !unread {
			return nil
		}
	}
	bar := a.admit(e)
	if _, grants := e.Body.(*record.Notice); grants && bar == "" {
		late, err := a.late(e)
		if err != nil {
			return err
		}
		if late {
			bar = record.BarTime
		}
	}
	if bar != "" {
		return a.tx.BarRecord(row.ID, bar)
	}
	switch b := e.Body.(type) {
	case *record.Notice:
		a.touched[b.Mandate] = true
		return a.tx.AddNotice(row.ID, e.Place, b, log.Forked != 0 && log.Forked <= e.Seq)
	case *record.Close:
		return a.close(row.ID, b)
	case *record.Helper:
		return a.suspend(row.ID, e.Place, b)
	}
	return nil
}

func (a *absorption) admit(e *record.Envelope) record.Bar {
	author, met := a.authors[e.Hub]
	if !met {
		var known bool
		if author, known = a.roster.Author(e.Hub); !known {
			return record.BarAuthor
		}
		a.authors[e.Hub] = author
	}
	if !author.Admits(e.Incarnation, e.Seq, e.Hash) {
		return record.BarCut
	}
	return record.Admit(e.Record, author, a.roster)
}

func (a *absorption) late(e *record.Envelope) (bool, error) {
	if e.Seq == 1 {
		return false, nil
	}
	before, err := a.tx.RecordsAt(record.Place{LogID: e.LogID, Seq: e.Seq - 1})
	return slices.ContainsFunc(before, func(b store.RecordRow) bool { return record.Late(b.Time, e.Time) }), err
}

func (a *absorption) close(id int64, b *record.Close) error {
	for _, cut := range b.Cuts {
		at, known := a.place(cut)
		if !known {
			continue
		}
		if err := a.tx.AddClose(store.CloseRow{Record: id, Structure: b.Structure, At: at, Index: cut.Index}); err != nil {
			return err
		}
	}
	return a.touchClosed(b)
}

// place resolves a position by the roster.
func (a *absorption) place(p record.Position) (record.Place, bool) {
	author, known := a.roster.AuthorAt(p.Index)
	return record.Place{LogID: record.LogID{Hub: author.ID, Incarnation: p.Incarnation}, Seq: p.Seq}, known
}

func (a *absorption) suspend(id int64, p record.Place, b *record.Helper) error {
	var lifts *record.Place
	if b.Lifts != nil {
		at, known := a.place(*b.Lifts)
		if !known {
			return a.tx.BarRecord(id, record.BarAuthor)
		}
		lifts = &at
	}
	return a.tx.AddSuspension(id, p, b.Helper, lifts)
}
