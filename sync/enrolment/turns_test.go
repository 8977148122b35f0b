package enrolment_test

import (
	"errors"
	"testing"

	"relais/node"
	"relais/node/territory"
	"relais/sync/enrolment"
)

// TestTurnedSince: a code made two rotations ago leads to its territory, by what
// each root announced of the next, and by nothing else.
func TestTurnedSince(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	i, first := h.invitation(), h.root.Public()
	before, err := bus.Look(t.Context(), i)
	check(t, err)
	h.turn(t)
	h.turn(t)
	whole := h.turns
	seen, err := bus.Look(t.Context(), i)
	check(t, err)
	if seen.RootKey != h.root.Public() || seen.Roster.Version != 3 || len(seen.From(first)) != 3 || len(seen.From(seen.RootKey)) != 0 {
		t.Errorf("%+v", seen)
	}
	if !seen.Follows(first) || !before.Follows(first) || before.Follows(seen.RootKey) {
		t.Error("which root follows which")
	}
	if done, err := bus.Ask(t.Context(), i, seen, bus.request(t)); err != nil || done.State != node.RequestWaiting {
		t.Errorf("%+v, %v", done, err)
	}
	other := newHost(t, nil)
	other.turn(t)
	for name, turns := range map[string][][]byte{
		"without them": nil, "one is missing": {whole[0], whole[2]}, "in another order": {whole[0], whole[2], whole[1]},
		"without the first": whole[1:], "without the last": whole[:2], "of another territory": {whole[0], other.turns[1]},
	} {
		t.Run("ErrOtherRoot, "+name, func(t *testing.T) {
			h.sign(t, h.roster) // or the last welcome is given again
			h.turns = turns
			if _, err := bus.Look(t.Context(), i); !errors.Is(err, enrolment.ErrOtherRoot) {
				t.Error(err)
			}
		})
	}
	t.Run("what they lead to is no older than the code", func(t *testing.T) {
		h.sign(t, h.roster)
		h.turns = whole
		i.MinVersion = 100
		if _, err := bus.Look(t.Context(), i); !errors.Is(err, enrolment.ErrOldRoster) {
			t.Error(err)
		}
	})
}

// TestTurnsFit: turns that are many do not keep a newcomer of this month away.
func TestTurnsFit(t *testing.T) {
	h, bus := newHost(t, nil), newNewcomer(t)
	i := h.invitation()
	h.turn(t)
	h.turns = append([][]byte{make([]byte, territory.MaxRosterOctets), make([]byte, territory.MaxRosterOctets)}, h.turns...)
	if _, err := bus.Look(t.Context(), i); err != nil {
		t.Error(err)
	}
}
