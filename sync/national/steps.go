package national

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"relais/node/record"
	"relais/sync/exchange"
)

// Steps implements Attempt.
func (t *attempt) Steps() []Step {
	return []Step{
		{"age", t.age},
		{"roster", t.roster},
		{"records", t.records},
		{"counts", t.compare},
		{"checkpoint", t.checkpoint},
		{"structures", t.structures},
	}
}

func (t *attempt) age(ctx context.Context, r *Report) error {
	f, err := t.Hub.Freshness(ctx)
	if err != nil {
		return err
	}
	if !f.National.IsZero() {
		r.Age = r.At.Sub(f.National)
	}
	return nil
}

// roster begins with the service's vector, which names its roster's version, and
// makes the two rosters one: authors that only the newer one knows would be
// refused otherwise.
func (t *attempt) roster(ctx context.Context, r *Report) error {
	if err := t.look(ctx); err != nil {
		return err
	}
	switch ours := t.Hub.Roster(); {
	case t.theirs.RosterVersion < ours.Version:
		if err := t.handRoster(ctx); err != nil {
			return err
		}
	case t.theirs.RosterVersion > ours.Version:
		note, err := t.getRoster(ctx)
		if err != nil {
			return err
		}
		if err := t.Hub.InstallRoster(ctx, note); err != nil {
			return fmt.Errorf("install roster %d: %w", t.theirs.RosterVersion, err)
		}
	default:
		return nil
	}
	r.Updated++
	return nil
}

// handRoster hands our roster over. A service that slept through rotations does
// not recognise its root: then the first roster of each root goes before.
func (t *attempt) handRoster(ctx context.Context) error {
	err := t.putRoster(ctx, t.Hub.RosterNote())
	var p *exchange.Problem
	if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity {
		return err
	}
	turns, turnErr := t.Hub.RosterTurns(ctx, t.theirs.RosterVersion)
	if turnErr != nil || len(turns) == 0 {
		return errors.Join(err, turnErr)
	}
	for _, turn := range turns {
		if err := t.putRoster(ctx, turn); err != nil {
			return fmt.Errorf("hand a turn over: %w", err)
		}
	}
	return t.putRoster(ctx, t.Hub.RosterNote())
}

func (t *attempt) look(ctx context.Context) (err error) {
	t.asked = t.Now()
	t.theirs, err = t.client.Vector(ctx, t.service)
	return err
}

// records moves what either side lacks, both ways, a bounded page at a time.
func (t *attempt) records(ctx context.Context, r *Report) error {
	if err := t.pull(ctx, r); err != nil {
		return err
	}
	return t.push(ctx, r)
}

func (t *attempt) pull(ctx context.Context, r *Report) error {
	behind, err := t.Hub.Behind(ctx, t.theirs)
	if err != nil {
		return fmt.Errorf("compare with the service's vector: %w", err)
	}
	if !behind {
		t.Hub.PeerCompared(t.service, t.asked)
		return nil
	}
	got, err := t.client.PullRecords(ctx, t.service)
	r.Down += got.New
	r.Created += got.New
	r.Refused += got.Refused
	if got.Roster {
		r.Updated++
	}
	return t.unlessStuck(err)
}

func (t *attempt) push(ctx context.Context, r *Report) error {
	first, _, err := t.Hub.Missing(ctx, t.theirs, record.MaxOctets)
	if err != nil {
		return fmt.Errorf("look for what the service lacks: %w", err)
	}
	if len(first) == 0 {
		return nil
	}
	done, err := t.client.Push(ctx, t.service)
	r.Up += done.New
	r.Created += done.New
	r.RefusedThere += done.Refused
	return t.unlessStuck(err)
}

// unlessStuck lets a pass go on when one side refuses what the other holds: the
// rest still moves, and the drift says how much does not agree.
func (t *attempt) unlessStuck(err error) error {
	if !errors.Is(err, exchange.ErrNoProgress) {
		return err
	}
	t.Logger.Warn("records are refused by the national service or from it", "peer", t.service.String(), "err", err)
	return nil
}

// compare counts what still differs. Records that arrived from elsewhere during
// the pass are no drift: what moved meanwhile is moved, once more.
func (t *attempt) compare(ctx context.Context, r *Report) error {
	for again := false; ; again = true {
		var err error
		if r.Drift, err = t.drift(ctx); err != nil || r.Drift == 0 || again {
			return err
		}
		if err := t.look(ctx); err != nil {
			return err
		}
		if err := t.records(ctx, r); err != nil {
			return err
		}
	}
}

func (t *attempt) drift(ctx context.Context) (int, error) {
	held, err := t.Hub.RecordCounts(ctx)
	if err != nil {
		return 0, fmt.Errorf("count our records: %w", err)
	}
	list, err := t.Hub.NationalList(ctx)
	if err != nil {
		return 0, err
	}
	ours := Held{
		Records: held.Records, Notices: held.Notices, Revocations: held.Revocations, Structures: list.Here, Aside: list.Aside,
	}
	if t.counts, err = t.getCounts(ctx, ours); err != nil {
		return 0, err
	}
	return Drift(ours, t.counts), nil
}
