package node_test

import (
	"testing"
	"time"

	"relais/node"
	"relais/node/record"
)

// TestHeardStopsStay: a stop that somebody had applied when its hub was expelled
// stands everywhere, though the hub that signed the expulsion had not heard it, or
// held it for want of the one before. The twins are among them: what was heard long
// after the expulsion falls, but for what carries the person's code.
func TestHeardStopsStay(t *testing.T) {
	g := newRooted(t, "Deux", "Trois")
	second, third := g.hubs[1], g.hubs[2]
	bad := g.withGhost(t)
	now := g.clock.Now()
	code := record.NewStopCode()
	unheard, held, whole, late, coded := g.notice(record.NewStopCode()), g.notice(record.NewStopCode()), g.notice(record.NewStopCode()), g.notice(record.NewStopCode()), g.notice(code)
	var below [][]byte
	for _, n := range []*record.Notice{unheard, held, whole, late, coded} {
		below = append(below, bad.say(t, now, n))
	}
	first, next, last := bad.say(t, now, g.stop(unheard.Mandate, 2)), bad.say(t, now, g.stop(held.Mandate, 0)), bad.say(t, now, g.stop(whole.Mandate, 0))
	apply(t, g.keeper, bad.id, append(below, next)...) // without first, this one waits
	apply(t, second, bad.id, append(below, first, next, last)...)
	apply(t, third, bad.id, below...)
	if s := standing(t, g.keeper, held.Mandate); !s.All {
		t.Fatalf("it applies at once: %+v", s)
	}
	before := entries(t, second)
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	if s := standing(t, g.keeper, held.Mandate); !s.All {
		t.Errorf("what was held stands no more where the expulsion was signed: %+v", s)
	}

	g.clock.Advance(long)
	withCode := g.stop(coded.Mandate, 0)
	withCode.Channel, withCode.Code = record.ChannelKiosk, &code
	apply(t, third, bad.id, first, next, last, bad.say(t, now, g.stop(late.Mandate, 0)), bad.say(t, now, withCode))
	for _, h := range g.hubs[1:] {
		install(t, h, g.keeper.RosterNote())
	}
	// Before they meet: what each had applied goes on, where it was applied in time.
	if s := standing(t, second, unheard.Mandate); s.All || s.Lines != 2 {
		t.Errorf("%+v", s)
	}
	if s := standing(t, second, whole.Mandate); !s.All {
		t.Errorf("%+v", s)
	}
	if s := standing(t, third, whole.Mandate); s.All {
		t.Errorf("heard long after the expulsion: %+v", s)
	}
	if got := entries(t, second); got != before+1+3 {
		t.Errorf("%d entries for a roster and three stops", got-before)
	}
	for _, h := range g.hubs {
		signAll(t, h)
	}
	for range 2 {
		meet(t, g.keeper, second)
		meet(t, second, third)
		meet(t, third, g.keeper)
	}
	for _, h := range g.hubs {
		for name, want := range map[*record.Notice]record.Standing{
			unheard: {Notices: 1, Lines: 2}, held: {Notices: 1, All: true}, whole: {Notices: 1, All: true},
			late: {Notices: 1}, coded: {Notices: 1, All: true},
		} {
			if got := standing(t, h, name.Mandate); got != want {
				t.Errorf("%s: %+v, want %+v", h.site, got, want)
			}
		}
		if report, err := node.VerifyFolder(t.Context(), h.Options.Dir); err != nil || !report.OK {
			t.Errorf("%s: %+v, %v", h.site, report, err)
		}
	}
	// Another roster says nothing again.
	counted := entries(t, second)
	if _, err := g.keeper.PutStructure(t.Context(), nil, "", g.keeper.Roster().Structures[0]); err != nil {
		t.Fatal(err)
	}
	install(t, second, g.keeper.RosterNote())
	if got := entries(t, second); got != counted+1 {
		t.Errorf("%d entries for a roster", got-counted)
	}
}

// TestFloodIsNotSaidAgain: of a hub that stopped more than anybody does, a bounded
// number is said again, and first what carries a person's code.
func TestFloodIsNotSaidAgain(t *testing.T) {
	g := newRooted(t, "Deux")
	second := g.hubs[1]
	bad := g.withGhost(t)
	now := g.clock.Now()
	code := record.NewStopCode()
	coded := g.notice(code)
	wires := [][]byte{bad.say(t, now, coded)}
	apply(t, g.keeper, bad.id, wires...)
	for range node.MaxSaidAgain {
		wires = append(wires, bad.say(t, now, g.stop(g.notice(record.NewStopCode()).Mandate, 0)))
	}
	withCode := g.stop(coded.Mandate, 0)
	withCode.Channel, withCode.Code = record.ChannelKiosk, &code
	apply(t, second, bad.id, append(wires, bad.say(t, now, withCode))...)
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	install(t, second, g.keeper.RosterNote())
	signAll(t, second)
	if state, err := second.LogState(t.Context(), record.LogID{Hub: second.Self(), Incarnation: 1}); err != nil || state.Head != node.MaxSaidAgain {
		t.Errorf("%d were said again (%v), want %d", state.Head, err, node.MaxSaidAgain)
	}
	if s := standing(t, second, coded.Mandate); !s.All {
		t.Errorf("a stop by code gave way to others: %+v", s)
	}
}

// TestExpulsionByAWrongClock: the hub that signs an expulsion, or one that takes it,
// knows from its peers that its clock is wrong by hours, and the stop that was heard
// before stands all the same. The twin is in it: what was heard after falls.
func TestExpulsionByAWrongClock(t *testing.T) {
	for name, c := range map[string]struct{ keeper, second time.Duration }{
		"SlowRoot": {-2 * time.Hour, 0}, "FastRoot": {3 * time.Hour, 0}, "Slow": {0, -2 * time.Hour}, "Fast": {0, 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRooted(t, "Deux")
			second := g.hubs[1]
			bad := g.withGhost(t)
			now := g.clock.Now()
			before, after := g.notice(record.NewStopCode()), g.notice(record.NewStopCode())
			below := [][]byte{bad.say(t, now, before), bad.say(t, now, after)}
			for h, wrong := range map[*hub]time.Duration{g.keeper: c.keeper, second: c.second} {
				apply(t, h, bad.id, below...)
				h.Options.Now = func() time.Time { return g.clock.Now().Add(wrong) }
				h.reopen(t)
			}
			compared := func(h *hub, wrong time.Duration) { h.PeerClock(bad.id, wrong, g.clock.Now().Add(wrong)) }
			apply(t, second, bad.id, bad.say(t, now, g.stop(before.Mandate, 0)))
			g.clock.Advance(long)
			compared(g.keeper, c.keeper)
			if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
				t.Fatal(err)
			}
			g.clock.Advance(long)
			apply(t, second, bad.id, bad.say(t, now, g.stop(after.Mandate, 0)))
			compared(second, c.second)
			install(t, second, g.keeper.RosterNote())
			if s := standing(t, second, before.Mandate); !s.All {
				t.Errorf("heard before: %+v", s)
			}
			if s := standing(t, second, after.Mandate); s.All {
				t.Errorf("heard after: %+v", s)
			}
		})
	}
}
