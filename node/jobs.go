package node

import (
	"context"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
)

// JobSucceeded notes that a scheduled job ran well, so that what was missed
// while the machine was off runs at start.
func (n *Node) JobSucceeded(ctx context.Context, name string, at time.Time) error {
	return n.db.Write(ctx, func(tx *store.Tx) error { return tx.PutJob(name, at) })
}

// JobLast returns the last success of a job; zero for never.
func (n *Node) JobLast(ctx context.Context, name string) (last time.Time, err error) {
	err = n.db.ReadOne(ctx, func(r *store.Reader) (err error) { last, err = r.JobLast(name); return err })
	return last, err
}

// Expire does what time asks for: drafts over a day old, sessions and limits
// past their end, stop codes of mandates that are over. It is run by a job.
func (n *Node) Expire(ctx context.Context) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.ExpireSessions(); err != nil {
			return err
		}
		if err := tx.ExpireLimits(); err != nil {
			return err
		}
		for _, p := range n.parts() {
			if p.expire == nil {
				continue
			}
			if err := p.expire(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// NoteControl writes in the journal that the machine's owner asked for something
// that writes no entry of its own.
func (n *Node) NoteControl(ctx context.Context, verb string) error {
	return n.db.Write(ctx, func(tx *store.Tx) error {
		return n.note(tx, entry{Kind: journal.KindControl, Actor: actorMachine, Public: map[string]any{"verb": verb}})
	})
}

// NationalPass is the outcome of one reconciliation.
type NationalPass struct {
	At        time.Time
	Up, Down  int   // records handed over, records received
	Drift     int   // differences left after the pass
	OctetsOut int64 // on the wire
	OctetsIn  int64
	Err       string // English; empty when it succeeded
}

// RecordNationalPass keeps the outcome for the screens. It writes no entry: the
// records a pass brought are one already, and an entry of its own would be news
// for the next pass, for ever.
func (n *Node) RecordNationalPass(ctx context.Context, p NationalPass) error {
	return n.db.Write(ctx, func(tx *store.Tx) error { return tx.PutNationalPass(store.NationalPass(p)) })
}

// LastNationalPass returns the last outcome and whether there is one.
func (n *Node) LastNationalPass(ctx context.Context) (NationalPass, bool, error) {
	var p store.NationalPass
	var found bool
	err := n.db.ReadOne(ctx, func(r *store.Reader) (err error) { p, found, err = r.LastNationalPass(); return err })
	return NationalPass(p), found, err
}
