package node

import (
	"context"
	"time"
)

// JobSucceeded notes that a scheduled job ran well, so that what was missed
// while the machine was off runs at start.
func (n *Node) JobSucceeded(ctx context.Context, name string, at time.Time) error { panic("stub") }

// JobLast returns the last success of a job; zero for never.
func (n *Node) JobLast(ctx context.Context, name string) (time.Time, error) { panic("stub") }

// Expire does what time asks for: drafts over a day old, sessions and limits
// past their end, stop codes of mandates that are over. It is run by a job.
func (n *Node) Expire(ctx context.Context) error { panic("stub") }

// NationalPass is the outcome of one reconciliation.
type NationalPass struct {
	At        time.Time
	Up, Down  int   // records handed over, records received
	Drift     int   // differences left after the pass
	OctetsOut int64 // on the wire
	OctetsIn  int64
	Err       string // English; empty when it succeeded
}

// RecordNationalPass keeps the outcome for the screens.
func (n *Node) RecordNationalPass(ctx context.Context, p NationalPass) error { panic("stub") }

// LastNationalPass returns the last outcome and whether there is one.
func (n *Node) LastNationalPass(ctx context.Context) (NationalPass, bool, error) { panic("stub") }
