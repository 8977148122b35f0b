// Package national reconciles one hub with the national service.
//
// A pass is a sequence of steps, each idempotent and each committed before the
// next begins. A pass that is cut loses nothing: the next one begins by
// comparing and moves exactly what is still missing. It ends by comparing
// counts, and what does not agree is the drift.
//
// Nothing on the local network ever waits for a pass, and its failure shows
// only as an age: the pass returns an error, the job that ran it logs it, and
// the screens say since when the national service has not been reached.
//
// The trap: what the service sends is believed for its signatures, never for
// who sent it. A service gone bad can withhold records, which the drift and the
// other hubs show; it can neither alter nor revive one.
package national

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"relais/node"
)

// passTimeout bounds one pass, all of its pages included.
const passTimeout = 10 * time.Minute

// Adapter is one way to reconcile with a national service. It is an interface
// because the services differ: the contract of openapi.yaml here, a public
// directory of structures elsewhere.
type Adapter interface {
	// Name is the adapter's in the configuration and the logs, such as "relais".
	Name() string
	// Begin opens a pass. Its steps end with ctx.
	Begin(ctx context.Context) (Attempt, error)
}

// Attempt is one pass under way. It is an interface for the same reason.
type Attempt interface {
	// Steps are to be run in order. Each is idempotent, and what it did is
	// committed when it returns; it adds what it did to the report.
	Steps() []Step
	// End releases the connections and returns the octets that passed on them
	// and the requests made, failed ones included.
	End() Wire
}

// Step is one part of a pass.
type Step struct {
	Name string
	Run  func(context.Context, *Report) error
}

// Wire is what a pass cost.
type Wire struct {
	// OctetsOut and OctetsIn are those of the connections, below TLS: handshakes
	// and a proxy's greeting included, TCP and IP headers not.
	OctetsOut, OctetsIn int64
	Requests            int
}

// Report is what a pass did.
type Report struct {
	Adapter string
	At      time.Time // when the pass began
	Took    time.Duration
	// Age is how long before At the last successful pass was; 0 for never.
	Age time.Duration

	Up   int // records handed over and new there
	Down int // records received and new here

	Created int // records new on either side, structures new here
	Updated int // rosters and checkpoints replaced by a newer one, on either side; structures changed here
	Deleted int // structures that are gone; records only grow
	Aside   int // structures of the service's list that this hub cannot read

	Refused      int // records received and refused here
	RefusedThere int // records handed over and refused there

	// Drift is how many records, or entries of the directory, one side counts and
	// the other does not, after the pass.
	Drift int

	// JournalRefused is that the service does not recognise our journal as the
	// continuation of what it saw.
	JournalRefused bool

	Wire
}

// Outcome is the report as the node keeps it for the screens. err is what the
// pass returned.
func (r Report) Outcome(err error) node.NationalPass {
	p := node.NationalPass{
		At: r.At, Up: r.Up, Down: r.Down, Drift: r.Drift,
		OctetsOut: r.OctetsOut, OctetsIn: r.OctetsIn,
	}
	if err != nil {
		p.Err = err.Error()
	}
	return p
}

// LogValue implements slog.LogValuer.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Int("up", r.Up), slog.Int("down", r.Down),
		slog.Int("created", r.Created), slog.Int("updated", r.Updated), slog.Int("deleted", r.Deleted), slog.Int("aside", r.Aside),
		slog.Int("refused", r.Refused), slog.Int("refused_there", r.RefusedThere),
		slog.Int("drift", r.Drift), slog.Bool("journal_refused", r.JournalRefused), slog.Duration("age", r.Age),
		slog.Int64("octets_out", r.OctetsOut), slog.Int64("octets_in", r.OctetsIn),
		slog.Int("requests", r.Requests), slog.Duration("took", r.Took),
	)
}

// Pass runs one pass: every step in order, until one fails. The report holds
// what was done even when the pass fails.
func Pass(ctx context.Context, a Adapter, now func() time.Time) (Report, error) {
	if now == nil {
		now = time.Now
	}
	r := Report{Adapter: a.Name(), At: now()}
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	err := run(ctx, a, &r)
	r.Took = now().Sub(r.At)
	if err != nil {
		return r, fmt.Errorf("national pass by %s: %w", a.Name(), err)
	}
	return r, nil
}

func run(ctx context.Context, a Adapter, r *Report) error {
	attempt, err := a.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { r.Wire = attempt.End() }()
	for _, step := range attempt.Steps() {
		if err := step.Run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", step.Name, err)
		}
	}
	return nil
}
