package mandate

import (
	"time"

	"relais/node/record"
	"relais/node/territory"
)

// Why is the reason a line may not be used. The empty value means it may.
type Why string

// The reasons, in the order they are looked at.
const (
	WhyUnknown     Why = "unknown"  // no notice
	WhyConflict    Why = "conflict" // two notices with one id: none is usable
	WhyStopped     Why = "stopped"  // revoked
	WhyNotStarted  Why = "not_started"
	WhyExpired     Why = "expired"
	WhyDone        Why = "done" // ended_at
	WhyNoSuchLine  Why = "no_such_line"
	WhyStructure   Why = "structure"   // suspended, closed, or not open for the scope
	WhyHelper      Why = "helper"      // suspended, or not of this structure
	WhyPaper       Why = "paper"       // the signed copy is still awaited
	WhyQuarantined Why = "quarantined" // granted on a forked log, after the fork
)

// Verdict is the answer to "may this line be used now?".
type Verdict struct {
	Usable bool
	Why    Why
	Stop   *Stop     // with WhyStopped: the earliest received
	At     time.Time // the moment concerned: expiry, end, stop
}

// Stop is a revocation as this hub knows it.
type Stop struct {
	Lines      uint32 // 0 is all
	Reason     record.Reason
	Channel    record.Channel
	Claimed    time.Time
	ReceivedAt time.Time // when this hub learned it: refusals count from here
	Where      territory.HubID
}
