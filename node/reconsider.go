package node

import (
	"cmp"
	"slices"

	"relais/node/internal/store"
	"relais/node/record"
	"relais/node/territory"
)

// reconsider follows a new roster: what it no longer admits is silenced,
// whatever came first, and what it admits now is heard.
func (a *absorption) reconsider() error {
	if err := a.silence(); err != nil {
		return err
	}
	var again []store.RecordRow
	for _, bar := range []record.Bar{record.BarAuthor, record.BarCut} {
		rows, err := a.tx.BarredRecords(bar)
		if err != nil {
			return err
		}
		again = append(again, rows...)
	}
	slices.SortFunc(again, func(x, y store.RecordRow) int {
		return cmp.Or(slices.Compare(x.Hub[:], y.Hub[:]), cmp.Compare(x.Incarnation, y.Incarnation), cmp.Compare(x.Seq, y.Seq))
	})
	for _, row := range again {
		if err := a.hear(row); err != nil {
			return err
		}
	}
	if err := a.closeAgain(); err != nil {
		return err
	}
	if err := a.finish(); err != nil {
		return err
	}
	return a.takeOver()
}

// closeAgain lets every close end what its cuts end: the roster may name now an
// index that it did not when the close came.
func (a *absorption) closeAgain() error {
	rows, err := a.tx.SpokenCloses()
	if err != nil {
		return err
	}
	for _, row := range rows {
		e, err := row.Decode()
		if err != nil {
			return err
		}
		if b, ok := e.Body.(*record.Close); ok {
			if err := a.close(row.ID, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// hear lets a barred record speak when the roster admits it now.
func (a *absorption) hear(row store.RecordRow) error {
	e, err := row.Decode()
	if err != nil {
		return err
	}
	if bar := a.admit(e); bar == record.BarAuthor || bar == record.BarCut {
		return nil
	}
	log, err := a.log(e.LogID)
	if err != nil {
		return err
	}
	if err := a.tx.BarRecord(row.ID, ""); err != nil {
		return err
	}
	if err := a.checkFork(log, e.Place, e.Hash, e.Prev); err != nil {
		return err
	}
	if err := a.sayAtOnce(row, e); err != nil {
		return err
	}
	if e.Seq <= log.Head {
		err = a.sayInOrder(row, e, log)
	} else {
		err = a.advance(log)
	}
	if err != nil {
		return err
	}
	a.forked[log.LogID] = log.Forked != 0
	return a.tx.PutLog(*log)
}

// silence applies the cuts of the roster to the logs it closes.
func (a *absorption) silence() error {
	logs, err := a.tx.Logs()
	if err != nil {
		return err
	}
	for i := range logs {
		author, known := a.roster.Author(logs[i].Hub)
		if !known || !author.Expelled && len(author.Cuts) == 0 {
			continue
		}
		if err := a.silenceLog(&logs[i], author); err != nil {
			return err
		}
	}
	return nil
}

func (a *absorption) silenceLog(log *store.Log, author territory.Author) error {
	rows, err := a.tx.RecordsAbove(log.LogID, 0)
	if err != nil {
		return err
	}
	var left []store.RecordRow
	for _, row := range rows {
		switch {
		case row.Bar == record.BarCut: // silent already; hear decides whether it stays so
		case author.Admits(row.Incarnation, row.Seq, row.Hash):
			if row.Signature != nil {
				left = append(left, row)
			}
		default:
			if err := a.silenceRecord(row); err != nil {
				return err
			}
		}
	}
	return a.rewind(log, left)
}

func (a *absorption) silenceRecord(row store.RecordRow) error {
	e, err := row.Decode()
	if err != nil {
		return err
	}
	switch b := e.Body.(type) {
	case *record.Notice:
		a.touched[b.Mandate] = true
	case *record.Revocation:
		if a.standsOnItsOwn(row, b) {
			a.silenced = append(a.silenced, silenced{row, b})
		}
		if err := a.touchStopped(b); err != nil {
			return err
		}
	case *record.Close:
		if err := a.touchClosed(b); err != nil {
			return err
		}
	}
	if err := a.tx.Forget(row.ID); err != nil {
		return err
	}
	return a.tx.BarRecord(row.ID, record.BarCut)
}

// rewind finds head and fork of a log again, from what is left of it.
func (a *absorption) rewind(log *store.Log, left []store.RecordRow) error {
	var ledger record.Ledger
	for _, row := range left {
		ledger.Add(row.Hash, record.Record{Place: row.Place, Prev: row.Prev})
	}
	log.Head, log.Hash, log.Forked = ledger.Head(log.LogID), ledger.HeadHash(log.LogID), ledger.ForkedAt(log.LogID)
	if err := a.tx.Quarantine(log.LogID, log.Forked); err != nil {
		return err
	}
	return a.tx.PutLog(*log)
}
