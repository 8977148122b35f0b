package node_test

import (
	"slices"
	"strings"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/mandate"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
)

// withGhost enrols a ghost in a rooted territory.
func (g *rooted) withGhost(t testing.TB) *ghost {
	t.Helper()
	ghost := newGhost(t)
	r, err := g.keeper.Roster().Clone()
	if err != nil {
		t.Fatal(err)
	}
	join(ghost)(r)
	signed, err := g.root.Issue(r, g.clock.Now(), 400)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range g.hubs {
		install(t, h, signed)
	}
	return ghost
}

// long is enough after an expulsion that clocks do not explain it.
const long = 2 * record.MaxClockSkew

// TestExpel: what the hub had said counts, whoever brings it; what comes after
// counts nowhere, not even where it came first.
func TestExpel(t *testing.T) {
	g := newRooted(t, "Deux", "Trois")
	first, empty := g.hubs[1], g.hubs[2]
	bad := g.withGhost(t)
	now := g.clock.Now()
	kept, stopped, above := g.notice(record.NewStopCode()), g.notice(record.NewStopCode()), g.notice(record.NewStopCode())
	below := [][]byte{bad.say(t, now, kept), bad.say(t, now, stopped), bad.say(t, now, g.stop(stopped.Mandate, 1))}
	late := [][]byte{bad.say(t, now, above), bad.say(t, now, g.stop(kept.Mandate, 1))}
	apply(t, g.keeper, bad.id, below...)
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	g.clock.Advance(long)
	apply(t, first, bad.id, append(below, late...)...) // it has not learned of the expulsion
	if s := standing(t, first, kept.Mandate); s.Lines != 1 {
		t.Fatalf("%+v", s)
	}
	for _, h := range g.hubs[1:] {
		install(t, h, g.keeper.RosterNote())
	}
	apply(t, empty, first.Self(), below...) // from anyone
	for _, h := range []*hub{g.keeper, first, empty} {
		if _, err := h.Apply(t.Context(), late, bad.id); err != nil {
			t.Fatal(err)
		}
		if s := standing(t, h, kept.Mandate); s.Notices != 1 || s.Lines != 0 {
			t.Errorf("%s: what came after counts: %+v", h.site, s)
		}
		if s := standing(t, h, stopped.Mandate); s.Notices != 1 || s.Lines != 1 {
			t.Errorf("%s: a stop from before is lost: %+v", h.site, s)
		}
		if s := standing(t, h, above.Mandate); s.Notices != 0 {
			t.Errorf("%s: %+v", h.site, s)
		}
	}
	t.Run("ErrAgain", func(t *testing.T) { refused(t, g.keeper.Expel(t.Context(), nil, "", bad.id), fault.Conflict, "") })
	t.Run("ErrItself", func(t *testing.T) {
		refused(t, g.keeper.Expel(t.Context(), nil, "", g.keeper.Self()), fault.Invalid, "")
	})
	t.Run("ErrUnknown", func(t *testing.T) {
		refused(t, g.keeper.Expel(t.Context(), nil, "", territory.HubID{1}), fault.NotFound, "")
	})
}

// TestSecondStopOutlivesTheFirst: who stops a mandate that another hub stopped
// first has her own word written, once: it stays when the other's is cut off.
func TestSecondStopOutlivesTheFirst(t *testing.T) {
	g := newRooted(t, "Deux")
	here := g.hubs[1]
	bad := g.withGhost(t)
	now := g.clock.Now()
	code := record.NewStopCode()
	repeated, once := g.notice(code), g.notice(record.NewStopCode())
	below := [][]byte{bad.say(t, now, repeated), bad.say(t, now, once)}
	late := [][]byte{bad.say(t, now, g.stop(repeated.Mandate, 0)), bad.say(t, now, g.stop(once.Mandate, 0))}
	apply(t, g.keeper, bad.id, below...)
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	g.clock.Advance(long)
	apply(t, here, bad.id, append(below, late...)...)
	for range 2 {
		if r, err := here.StopByCode(t.Context(), code.String(), "borne"); err != nil || !r.Already {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if v, err := here.Notice(t.Context(), repeated.Mandate); err != nil || len(v.Stops) != 2 {
		t.Fatalf("theirs and one of here: %+v, %v", v.Stops, err)
	}
	install(t, here, g.keeper.RosterNote())
	if s := standing(t, here, repeated.Mandate); !s.All {
		t.Errorf("stopped here too, and it stands again: %+v", s)
	}
	// The twin: what nobody else stopped goes with the hub that did.
	if s := standing(t, here, once.Mandate); s.All {
		t.Errorf("%+v", s)
	}
}

// TestExpelUnknownLog: of a hub that was never heard, nothing counts, before or
// after.
func TestExpelUnknownLog(t *testing.T) {
	g := newRooted(t)
	bad := g.withGhost(t)
	n := g.notice(record.NewStopCode())
	said := bad.say(t, g.clock.Now(), n)
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	if _, err := g.keeper.Apply(t.Context(), [][]byte{said}, bad.id); err != nil {
		t.Fatal(err)
	}
	if s := standing(t, g.keeper, n.Mandate); s.Notices != 0 {
		t.Errorf("%+v", s)
	}
}

// TestExpelForked: the stops at the end of both histories of a log stay.
func TestExpelForked(t *testing.T) {
	g := newRooted(t, "Deux")
	bad := g.withGhost(t)
	now := g.clock.Now()
	n := g.notice(record.NewStopCode())
	one := bad.say(t, now, n)
	copied := *bad
	left, right := bad.say(t, now, g.stop(n.Mandate, 1)), copied.say(t, now, g.stop(n.Mandate, 2))
	for _, h := range g.hubs {
		apply(t, h, bad.id, one, left, right)
	}
	if err := g.keeper.Expel(t.Context(), nil, "", bad.id); err != nil {
		t.Fatal(err)
	}
	install(t, g.hubs[1], g.keeper.RosterNote())
	after := bad.say(t, now, g.stop(n.Mandate, 4))
	for _, h := range g.hubs {
		if _, err := h.Apply(t.Context(), [][]byte{after}, bad.id); err != nil {
			t.Fatal(err)
		}
		if s := standing(t, h, n.Mandate); s.Lines != 3 {
			t.Errorf("%s: lines %b are stopped, want 11", h.site, s.Lines)
		}
		if behind(t, h, g.keeper) {
			t.Errorf("%s is behind for ever", h.site)
		}
	}
}

// TestReplace: a hub recovered from an old backup does not silence what was heard
// of it since; and what it says of an expelled hub changes nothing.
func TestReplace(t *testing.T) {
	g := newRooted(t)
	lost := g.withGhost(t)
	now := g.clock.Now()
	n := g.notice(record.NewStopCode())
	wires := [][]byte{lost.say(t, now, n)}
	early := lost.prev
	wires = append(wires, lost.say(t, now, g.stop(n.Mandate, 1)))
	apply(t, g.keeper, lost.id, wires...)
	bus := g.newHub(t, "Le bus")
	hash := append(early[:], make([]byte, 16)...)
	_, text := g.ask(t, bus, func(r *territory.Request) {
		r.Replaces = &territory.Replaced{Hub: lost.id, Cuts: []territory.Cut{{Incarnation: 1, Seq: 1, Hash: hash}}}
	})
	if err := g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text), Replace: true}); err != nil {
		t.Fatal(err)
	}
	if s := standing(t, g.keeper, n.Mandate); s.Lines != 1 {
		t.Errorf("a stop was lost with the backup: %+v", s)
	}
	s, _ := g.keeper.Roster().Structure(g.office)
	was, _ := g.keeper.Roster().Hub(lost.id)
	if !s.ServedBy(bus.Self()) || was.State != territory.HubExpelled || was.Cuts[0].Seq != 2 {
		t.Errorf("%+v", was)
	}
	next := g.newHub(t, "Encore")
	_, text = g.ask(t, next, func(r *territory.Request) {
		r.Replaces = &territory.Replaced{Hub: lost.id, Cuts: []territory.Cut{{Incarnation: 1, Seq: 900, Hash: hash}}}
	})
	if err := g.keeper.ApproveHub(t.Context(), nil, next.Self(), node.HubApproval{Fingerprint: fingerprint(t, text), Replace: true}); err != nil {
		t.Fatal(err)
	}
	if was, _ := g.keeper.Roster().Hub(lost.id); was.Cuts[0].Seq != 2 {
		t.Errorf("an expelled hub speaks again up to %d", was.Cuts[0].Seq)
	}
}

// TestExpelledComesBack: by its old invitation or by a new one, it does not.
func TestExpelledComesBack(t *testing.T) {
	g := newRooted(t)
	bus := g.newHub(t, "Le bus")
	secret, text := g.ask(t, bus)
	if err := g.keeper.ApproveHub(t.Context(), nil, bus.Self(), node.HubApproval{Fingerprint: fingerprint(t, text)}); err != nil {
		t.Fatal(err)
	}
	if err := g.keeper.Expel(t.Context(), nil, "", bus.Self()); err != nil {
		t.Fatal(err)
	}
	before := entries(t, g.keeper)
	for _, s := range []territory.InviteSecret{secret, g.invite(t)} {
		_, err := g.keeper.TakeRequest(t.Context(), s, text)
		refused(t, err, fault.Conflict, "")
	}
	if entries(t, g.keeper) != before+1 { // the second invitation's own
		t.Error("something was kept of it")
	}
}

// TestExpelledGrants: a hub that learned that it was expelled says so and grants
// nothing. Until it learned, it granted.
func TestExpelledGrants(t *testing.T) {
	d := newDesk(t)
	grant := func() error {
		visit := d.drafted(t)
		recap, err := d.Recap(t.Context(), d.by, visit)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Grant(t.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: d.code(t)})
		return err
	}
	if err := grant(); err != nil {
		t.Fatal(err)
	}
	if err := d.SignAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	cuts, err := d.Cuts(t.Context(), d.Self())
	if err != nil {
		t.Fatal(err)
	}
	d.land.enrol(t, func(r *territory.Roster) {
		if err := r.Expel(d.Self(), cuts); err != nil {
			t.Fatal(err)
		}
	})
	refused(t, grant(), fault.Forbidden, "")
	view, err := d.Territory(t.Context())
	if err != nil || !slices.ContainsFunc(view.Alarms, func(a node.Alarm) bool { return a.Key == "expelled" }) {
		t.Errorf("%+v, %v", view.Alarms, err)
	}
}

// TestExpelledStops: a hub that is outside of its territory stops nothing, at the
// kiosk or at the desk, and says so, with what does: the same code at another hub.
// What it had stopped before is told still.
func TestExpelledStops(t *testing.T) {
	l := newLand(t)
	here, bus := l.newHub(t, "Valbrume"), l.newHub(t, "le bus")
	l.enrol(t)
	d := l.desk(t, here, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	before, after := d.grant(t), d.grant(t)
	codes := map[mandate.ID]string{}
	for _, m := range []mandate.ID{before, after} {
		v, err := d.Mandate(t.Context(), d.by, m)
		if err != nil {
			t.Fatal(err)
		}
		codes[m] = v.StopCode.String()
	}
	if _, err := here.StopByCode(t.Context(), codes[before], "borne"); err != nil {
		t.Fatal(err)
	}
	signAll(t, here)
	meet(t, here, bus)
	cuts, err := here.Cuts(t.Context(), here.Self())
	if err != nil {
		t.Fatal(err)
	}
	if here.Outside() {
		t.Error("it is outside before it is expelled")
	}
	l.enrol(t, func(r *territory.Roster) {
		if err := r.Expel(here.Self(), cuts); err != nil {
			t.Fatal(err)
		}
	})
	if !here.Outside() || bus.Outside() {
		t.Errorf("outside: the expelled one %v, the other %v", here.Outside(), bus.Outside())
	}
	written, rows := entries(t, here), d.rows(t, "records")
	_, kiosk := here.StopByCode(t.Context(), codes[after], "borne")
	_, desk := here.StopAtDesk(t.Context(), d.by, node.DeskStop{Mandate: after, Reason: record.ReasonPerson})
	for _, err := range []error{kiosk, desk} {
		refused(t, err, fault.Forbidden, "")
		for _, want := range []string{"Rien n’a été arrêté", "depuis un autre relais, par son code", "une lettre à la structure"} {
			if said := fault.Of(err).Message; !strings.Contains(said, want) {
				t.Errorf("%q does not say %q", said, want)
			}
		}
	}
	if s := standing(t, here, after); s.All || entries(t, here) != written || d.rows(t, "records") != rows {
		t.Errorf("something was written: %+v", s)
	}
	if r, err := here.StopByCode(t.Context(), codes[before], "borne"); err != nil || !r.Already {
		t.Errorf("what was stopped before: %+v, %v", r, err)
	}
	if r, err := bus.StopByCode(t.Context(), codes[after], "borne"); err != nil || r.Already || !standing(t, bus, after).All {
		t.Errorf("the same code elsewhere: %+v, %v", r, err)
	}
}
