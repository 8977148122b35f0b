package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"relais/cmd/national/internal/store"
	"relais/node/fault"
	"relais/node/territory"
)

// Nothing of this service is ever on a screen for the people helped; a fault
// carries a French sentence all the same, since that is what a fault is.
const messageRoster = "Ce registre ne peut pas être pris."

// Roster is the newest roster that this instance has read. Never modified.
func (s *Service) Roster() *territory.Roster { return s.roster.Load().Roster }

// RosterNote is the newest roster as signed.
func (s *Service) RosterNote() []byte { return s.roster.Load().note }

// RosterTurns is of the exchange between hubs; the service does not serve it.
func (s *Service) RosterTurns(context.Context, uint32) ([][]byte, error) { return nil, nil }

// rosterTimeout bounds the look for a newer roster during a handshake.
const rosterTimeout = 2 * time.Second

// latest is the newest roster, read again: at a handshake, a hub that another
// instance learnt of a moment ago is no stranger. While the database is away it
// is the last one read; the request that follows says what is wrong.
func (s *Service) latest() *territory.Roster {
	ctx, cancel := context.WithTimeout(context.Background(), rosterTimeout)
	defer cancel()
	known, err := s.db.Admission(ctx, territory.HubID{})
	if err == nil {
		err = s.refresh(ctx, known.Roster)
	}
	if err != nil {
		s.o.Logger.Warn("the roster cannot be read again", "err", err)
	}
	return s.Roster()
}

// refresh takes over the roster of the database when its version is newer than
// the one read before: another instance installed it.
func (s *Service) refresh(ctx context.Context, version uint32) error {
	if version <= s.Roster().Version {
		return nil
	}
	t, err := s.db.Territory(ctx)
	if err != nil {
		return err
	}
	r, err := territory.OpenRoster(t.Note, t.RootKey)
	if err != nil {
		return fmt.Errorf("the installed roster: %w", err)
	}
	s.show(&signedRoster{r, t.Note, t.RootKey})
	return nil
}

// maxMoves is how often a roster is judged again because another came first.
const maxMoves = 4

// InstallRoster takes a newer roster from a hub, durably. The same one again is
// no error. One signed by the root that the present roster announces is taken, and
// that root pinned with it. Invalid when neither root signed it, Conflict when it is older
// than the one here, another one of the same version, or drops or renumbers a
// member.
func (s *Service) InstallRoster(ctx context.Context, note []byte) error {
	for try := 1; ; try++ {
		known, err := s.db.Admission(ctx, territory.HubID{})
		if err != nil {
			return err
		}
		if err := s.refresh(ctx, known.Roster); err != nil {
			return err
		}
		if err = s.installRoster(ctx, note); !errors.Is(err, store.ErrMoved) || try == maxMoves {
			return err
		}
	}
}

// installRoster judges a roster by the one held, and stores it if that is still
// the newest: store.ErrMoved otherwise.
func (s *Service) installRoster(ctx context.Context, note []byte) error {
	held := s.roster.Load()
	r, root, err := territory.OpenNext(note, held.root, held.NextRoot)
	if err != nil {
		return fault.New(fault.Invalid, messageRoster, err)
	}
	if r.National == nil || r.National.ID != s.credentials.Self() {
		// Taking it would end this service for good; a person must decide that.
		return fault.New(fault.Conflict, messageRoster, ErrNotInRoster)
	}
	if r.Version > held.Version {
		if err := r.Follows(held.Roster); err != nil {
			return fault.New(fault.Conflict, messageRoster, fmt.Errorf("roster %d after %d: %w", r.Version, held.Version, err))
		}
	}
	err = s.db.InstallRoster(ctx, store.Territory{
		Code: r.Territory, RootKey: root, Announced: held.root, Version: r.Version, Note: note, After: held.Version,
	}, s.o.Now())
	switch {
	case errors.Is(err, store.ErrOlder), errors.Is(err, store.ErrTwin), errors.Is(err, store.ErrOther):
		return fault.New(fault.Conflict, messageRoster, err)
	case err != nil:
		return fmt.Errorf("install roster %d: %w", r.Version, err)
	}
	s.show(&signedRoster{r, note, root})
	return nil
}

// show makes a stored roster the current one, unless a newer one came meanwhile.
func (s *Service) show(fresh *signedRoster) {
	for {
		current := s.roster.Load()
		if fresh.Version <= current.Version {
			return
		}
		if s.roster.CompareAndSwap(current, fresh) {
			s.o.Logger.Info("roster installed", "version", fresh.Version)
			return
		}
	}
}
