package node

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"relais/node/fault"
	"relais/node/internal/store"
	"relais/node/record"
)

// author writes an unsigned record at the next place of this hub's log, in the
// transaction of the change it tells. What it says holds here at once; others
// learn it once it is signed. It refuses what the others would not let count.
func (n *Node) author(tx *store.Tx, body record.Body) (record.Place, record.Hash, error) {
	r, err := n.draftRecord(tx, body)
	if err != nil {
		return record.Place{}, record.Hash{}, err
	}
	payload, err := r.Encode()
	if err != nil {
		return record.Place{}, record.Hash{}, err
	}
	e := &record.Envelope{Record: r, Hash: record.ChainHash(n.self, payload), Payload: payload}
	if err := n.absorbOwn(tx, e); err != nil {
		return record.Place{}, record.Hash{}, fmt.Errorf("author record of kind %d: %w", r.Kind, err)
	}
	n.publishing.noteTime(r.Time)
	n.wakeSigner() // it reads through the writer, and so after this transaction
	return r.Place, e.Hash, nil
}

// draftRecord finds the next place of this hub's log. A log that others know
// further than this hub does is not continued: the machine went back in time, so
// it opens the next one, linked to the last head it knows. Nor is one that they may
// know further (see doubt), nor one whose last record is dated ahead (see
// datedAhead). A hub with a twin goes on in the log that both write to: its stops
// count there, and another log would be the twin's too.
func (n *Node) draftRecord(tx *store.Tx, body record.Body) (record.Record, error) {
	r := record.Record{Territory: n.birth.Territory, Time: tx.Now, Kind: record.KindOf(body), Body: body}
	log, err := n.ownLog(tx.Reader)
	if err != nil {
		return r, err
	}
	tail, found, err := tx.Tail(log)
	if err != nil {
		return r, err
	}
	r.Place = record.Place{LogID: log, Seq: 1}
	after, anew, err := n.beginAnew(tx, log)
	if err != nil || !found && !anew {
		return r, err
	}
	ahead := false
	if found {
		ahead = n.datedAhead(tail.Time, tx.Now)
		r.Prev, r.Time = [16]byte(tail.Hash[:16]), laterOf(tx.Now, tail.Time)
	}
	if ahead {
		r.Time = tx.Now
	}
	if !anew {
		after = log.Incarnation
		goesOn, err := n.goesOn(tx, log, tail)
		if err != nil {
			return r, err
		}
		if goesOn && !ahead {
			r.Seq = tail.Seq + 1
			return r, nil
		}
	}
	if r.Incarnation, err = nextIncarnation(tx, record.LogID{Hub: log.Hub, Incarnation: after}); err != nil {
		return r, err
	}
	return r, tx.PutMeta(metaIncarnation, []byte(strconv.Itoa(int(r.Incarnation))))
}

// goesOn tells whether a log may be continued: nobody knows it further or
// otherwise, or somebody always will.
func (n *Node) goesOn(tx *store.Tx, log record.LogID, tail store.RecordRow) (bool, error) {
	known, err := tx.Log(log)
	if err != nil || tail.Source.IsZero() && known.Forked == 0 {
		return err == nil, err
	}
	forks, err := tx.ForkedLogs(n.self)
	return forks >= twinForks && known.Forked != 0, err
}

// nextIncarnation is the first log after this one of which nothing is known: a
// machine brought back twice may have written to the next one already. What is
// written is then the first of its log as far as this hub can tell, and so
// forks none that it knows.
func nextIncarnation(tx *store.Tx, log record.LogID) (uint16, error) {
	for log.Incarnation < math.MaxUint16 {
		log.Incarnation++
		if _, found, err := tx.Tail(log); err != nil || !found {
			return log.Incarnation, err
		}
	}
	return 0, fault.Errorf(fault.Unavailable,
		"Ce relais a trop souvent recommencé son histoire\u00a0: il ne peut plus rien enregistrer. Le département doit lui donner une nouvelle identité.",
		"no incarnation is left after %d", log.Incarnation)
}

// ownLog is the log this hub writes to.
func (n *Node) ownLog(r *store.Reader) (record.LogID, error) {
	log := record.LogID{Hub: n.self}
	text, found, err := r.Meta(metaIncarnation)
	if err != nil {
		return log, err
	}
	if !found {
		return log, fmt.Errorf("the folder names no incarnation")
	}
	incarnation, err := strconv.ParseUint(string(text), 10, 16)
	log.Incarnation = uint16(incarnation)
	return log, err
}

// absorbOwn keeps an unsigned record and lets it say here what it says.
func (n *Node) absorbOwn(tx *store.Tx, e *record.Envelope) error {
	held := n.roster.Load()
	if held == nil {
		return fault.Errorf(fault.Unavailable,
			"Ce relais n’a pas encore reçu le registre de son territoire\u00a0: il ne peut rien enregistrer. Prévenez le service informatique.",
			"no roster yet")
	}
	a := n.absorbing(tx, held.Roster)
	a.authors[n.self] = held.self
	if err := barred(a.admit(e)); err != nil {
		return err
	}
	log, err := a.log(e.LogID)
	if err != nil {
		return err
	}
	row := store.RecordRow{
		Place: e.Place, Hash: e.Hash, Prev: e.Prev, Kind: e.Kind, Time: e.Time, Payload: e.Payload, Received: tx.Now,
	}
	if row.ID, err = tx.AddRecord(row); err != nil {
		return err
	}
	if e.Seq == 1 {
		if err := tx.PutLog(*log); err != nil {
			return err
		}
	}
	if err := a.sayAtOnce(row, e); err != nil {
		return err
	}
	if err := a.sayInOrder(row, e, log); err != nil {
		return err
	}
	return a.finish()
}

// barred is what a person reads when her hub may not say what she asks.
func barred(bar record.Bar) error {
	switch bar {
	case "":
		return nil
	case record.BarAuthor, record.BarCut:
		return fault.Errorf(fault.Forbidden,
			"Ce relais n’est pas autorisé à le faire pour cette structure. Voyez avec le département.", "refused: bar %s", bar)
	default:
		return fault.Errorf(fault.Internal, "Le relais n’a pas pu préparer l’envoi. Rien n’a été enregistré.", "refused: bar %s", bar)
	}
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
