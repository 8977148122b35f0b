package node

import (
	"slices"
	"time"

	"relais/node/internal/store"
	"relais/node/record"
)

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
		return a.tx.AddNotice(row.ID, e.Place, b, log.Forked != 0 && log.Forked <= e.Seq, a.undated != nil && a.undated(e.Hub))
	case *record.Close:
		return a.close(row.ID, b)
	case *record.Helper:
		return a.suspend(row.ID, e.Place, b)
	}
	return nil
}

// member tells whether the roster lets the author say anything at that place.
func (a *absorption) member(e *record.Envelope) bool {
	bar := a.admit(e)
	return bar != record.BarCut && a.authors[e.Hub].Key != nil
}

func (a *absorption) admit(e *record.Envelope) record.Bar {
	author, met := a.authors[e.Hub]
	if !met {
		author, _ = a.roster.Author(e.Hub) // without a key when it is unknown
		a.authors[e.Hub] = author
	}
	switch {
	case author.Key == nil:
		return record.BarAuthor
	case !author.Admits(e.Incarnation, e.Seq, e.Hash):
		return record.BarCut
	}
	return record.Admit(e.Record, author, a.roster)
}

func (a *absorption) late(e *record.Envelope) (bool, error) {
	if e.Seq == 1 {
		return false, nil
	}
	before, err := a.tx.TimesAt(record.Place{LogID: e.LogID, Seq: e.Seq - 1})
	return slices.ContainsFunc(before, func(b time.Time) bool { return record.Late(b, e.Time) }), err
}

// close keeps the cuts that the roster can name; a later roster names the others
// (see closeAgain).
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
