package service

import (
	"context"
	"errors"
	"fmt"

	"relais/cmd/national/internal/store"
	"relais/node/fault"
	"relais/node/territory"
)

// Nothing of this service is ever on a screen for the people helped; a fault
// carries a French sentence all the same, since that is what a fault is.
const (
	messageRoster     = "Ce registre ne peut pas être pris."
	messageCheckpoint = "Ce point de contrôle ne peut pas être pris."
)

// Roster is the newest roster. Never modified.
func (s *Service) Roster() *territory.Roster { return s.roster.Load().Roster }

// RosterNote is the newest roster as signed.
func (s *Service) RosterNote() []byte { return s.roster.Load().note }

// RosterTurns is of the exchange between hubs; the service does not serve it.
func (s *Service) RosterTurns(context.Context, uint32) ([][]byte, error) { return nil, nil }

// InstallRoster takes a newer roster from a hub, durably. The same one again is
// no error. One signed by the root that the present roster announces is taken, and
// that root pinned with it. Invalid when neither root signed it, Conflict when it is older
// than the one here, another one of the same version, or drops or renumbers a
// member.
func (s *Service) InstallRoster(ctx context.Context, note []byte) error {
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
		Code: r.Territory, RootKey: root, Announced: held.root, Version: r.Version, Note: note,
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
