package node_test

import (
	"slices"
	"testing"
	"time"

	"relais/node"
	"relais/node/id"
	"relais/node/record"
	"relais/node/territory"
)

// TestPages: a page stays within its bound, says when there is more, and the
// pages together are the log, in order.
func TestPages(t *testing.T) {
	l, a, b, _ := three(t)
	for range 40 {
		author(t, a, l.notice(record.NewStopCode()))
	}
	signAll(t, a)
	var seq uint32
	for pages := 0; ; pages++ {
		v, err := b.Vector(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		page, more, err := a.Missing(t.Context(), v, 2000)
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, wire := range page {
			size += len(wire)
			e, err := record.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			if seq++; e.Seq != seq {
				t.Fatalf("seq %d where %d belongs", e.Seq, seq)
			}
		}
		if size > 2000 || more != (seq < 40) {
			t.Errorf("page of %d octets up to %d, more %v", size, seq, more)
		}
		apply(t, b, a.Self(), page...)
		if !more {
			if pages < 3 {
				t.Errorf("%d pages show little", pages)
			}
			break
		}
	}
	if seq != 40 {
		t.Errorf("%d of 40", seq)
	}
	v, err := b.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if page, more, err := a.Missing(t.Context(), v, 10); err != nil || len(page) > 0 || more {
		t.Errorf("nothing is missing, and yet %d, %v (%v)", len(page), more, err)
	}
}

func TestVectorIsSalted(t *testing.T) {
	l, a, _, _ := three(t)
	author(t, a, l.notice(record.NewStopCode()))
	signAll(t, a)
	one, err := a.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := a.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if one.Salt == two.Salt || one.Entries[0].Head == two.Entries[0].Head {
		t.Error("two vectors have one salt")
	}
	if one.RosterVersion != 1 || one.Entries[0].Index != 1 || one.Entries[0].Seq != 1 {
		t.Errorf("%+v", one)
	}
}

// TestTooManyLogs: a member that opens logs without end neither fills the vector
// nor keeps others from meeting; it is named.
func TestTooManyLogs(t *testing.T) {
	t.Parallel()
	l, a, b, _ := three(t)
	g := newGhost(t)
	l.enrol(t, join(g))
	var wires [][]byte
	for i := range uint16(300) {
		r := g.record(l.clock.Now(), &record.Unknown{Of: 200, Version: 1, Raw: []byte{0}})
		r.Incarnation = i + 1
		wire, _ := g.sign(t, r)
		wires = append(wires, wire)
	}
	if done := apply(t, a, g.id, wires...); done != (node.Applied{New: record.MaxLogs, Postponed: 300 - record.MaxLogs}) {
		t.Errorf("%+v", done)
	}
	slices.Reverse(wires) // the other hub keeps others of them
	apply(t, b, g.id, wires[:100]...)
	n := l.notice(record.NewStopCode())
	author(t, a, n)
	author(t, b, l.stop(n.Mandate, 0))
	signAll(t, a)
	signAll(t, b)
	meet(t, a, b)
	for _, h := range []*hub{a, b} {
		v, err := h.Vector(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wire, err := v.MarshalBinary(); err != nil || len(v.Entries) != record.MaxLogs+2 || len(wire) > record.MaxVectorOctets {
			t.Errorf("%s: a vector of %d entries (%v)", h.site, len(v.Entries), err)
		}
		if s := standing(t, h, n.Mandate); !s.All {
			t.Errorf("%s: %+v", h.site, s)
		}
		if !alarmed(t, h, "logs") {
			t.Errorf("%s: nobody is told", h.site)
		}
	}
}

// TestHeldTravels: a revocation that waits for its predecessor counts, and so it
// is handed on, although the two show the same vector.
func TestHeldTravels(t *testing.T) {
	l, a, b, c := three(t)
	g := newGhost(t)
	l.enrol(t, join(g))
	n := l.told(t, a, record.NewStopCode())
	lost := g.say(t, l.clock.Now(), l.notice(record.NewStopCode()))
	stop := g.say(t, l.clock.Now(), l.stop(n.Mandate, 0))
	apply(t, a, g.id, stop)
	pull(t, b, a)
	pull(t, c, b)
	for _, h := range []*hub{b, c} {
		if s := standing(t, h, n.Mandate); !s.All {
			t.Errorf("%s: still runs", h.site)
		}
	}
	apply(t, c, g.id, lost)
	meet(t, c, a)
	v, err := a.Vector(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if page, more, err := c.Missing(t.Context(), v, pageOctets); err != nil || more || len(page) > 0 {
		t.Errorf("%d sent again once nothing is missing (%v)", len(page), err)
	}
}

// TestLargeFork: two branches far longer than a page become one log, known whole
// by both.
func TestLargeFork(t *testing.T) {
	t.Parallel()
	l, a, b, _ := three(t)
	g := newGhost(t)
	l.enrol(t, join(g))
	for range 30 {
		wire := g.say(t, l.clock.Now(), l.stop(id.Random[record.MandateID](), 0))
		apply(t, a, g.id, wire)
		apply(t, b, g.id, wire)
	}
	twin := *g
	for i := range 60 {
		apply(t, a, g.id, g.say(t, l.clock.Now(), l.stop(id.Random[record.MandateID](), 0)))
		if i < 40 {
			apply(t, b, g.id, twin.say(t, l.clock.Now(), l.stop(id.Random[record.MandateID](), 0)))
		}
	}
	meet(t, a, b)
	for _, h := range []*hub{a, b} {
		counts, err := h.RecordCounts(t.Context())
		if err != nil || counts.Revocations != 130 {
			t.Errorf("%s: %+v (%v)", h.site, counts, err)
		}
		if state, err := h.LogState(t.Context(), g.log()); err != nil || state.Head != 90 || state.Forked != 31 {
			t.Errorf("%s: %+v (%v)", h.site, state, err)
		}
	}
}

// TestManyVariants: more variants of one place than a page holds travel too.
func TestManyVariants(t *testing.T) {
	l, a, b, _ := three(t)
	g := newGhost(t)
	l.enrol(t, join(g))
	for i := range 30 {
		twin := *g
		wire := twin.say(t, l.clock.Now(), l.stop(id.Random[record.MandateID](), 0))
		apply(t, []*hub{a, b}[i%2], g.id, wire)
	}
	meet(t, a, b)
	for _, h := range []*hub{a, b} {
		if counts, err := h.RecordCounts(t.Context()); err != nil || counts.Revocations != 30 {
			t.Errorf("%s: %+v (%v)", h.site, counts, err)
		}
	}
}

// TestNational: the national service has a log of its own; it stops mandates and
// never grants one.
func TestNational(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, func(r *territory.Roster) {
		r.National = &territory.National{Index: 500, ID: g.id, Name: "Service national", Identity: g.der, URL: "https://localhost:7444"}
	})
	n := l.told(t, a, record.NewStopCode())
	v := l.stop(n.Mandate, 0)
	v.Channel = record.ChannelNational
	granted := l.notice(record.NewStopCode())
	apply(t, a, g.id, g.say(t, l.clock.Now(), granted), g.say(t, l.clock.Now(), v))
	meet(t, a, b)
	for _, h := range []*hub{a, b} {
		view, err := h.Notice(t.Context(), n.Mandate)
		if err != nil || view.State != "stopped" || view.Stops[0].WhereName != "Service national" {
			t.Errorf("%s: %+v (%v)", h.Name(), view, err)
		}
		if s := standing(t, h, granted.Mandate); s.Notices != 0 {
			t.Errorf("%s: it granted", h.Name())
		}
	}
}

// TestSuspension: a helper suspended anywhere is suspended everywhere, until the
// reinstatement that names the suspension, whichever came first.
func TestSuspension(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, join(g))
	helper, now := id.Random[territory.HelperID](), l.clock.Now()
	suspend := g.say(t, now, &record.Helper{Helper: helper})
	other := g.say(t, now, &record.Helper{Helper: helper, Lifts: &record.Position{Index: 100, Incarnation: 1, Seq: 9}})
	lift := g.say(t, now, &record.Helper{Helper: helper, Lifts: &record.Position{Index: 100, Incarnation: 1, Seq: 1}})
	suspended := func(h *hub) bool {
		s, err := h.Suspended(t.Context(), helper)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	apply(t, a, g.id, suspend, other)
	if !suspended(a) {
		t.Error("a reinstatement of another suspension lifted this one")
	}
	apply(t, a, g.id, lift)
	apply(t, b, g.id, lift)
	apply(t, b, g.id, other)
	apply(t, b, g.id, suspend)
	for _, h := range []*hub{a, b} {
		if suspended(h) {
			t.Errorf("%s: still suspended", h.Name())
		}
	}
	again := g.say(t, now, &record.Helper{Helper: helper})
	apply(t, a, g.id, again)
	if !suspended(a) {
		t.Error("the second suspension was lifted by the first's reinstatement")
	}
}

// TestWhoLifts: a suspension is lifted by who wrote it, once it is written, and
// by the national service; whichever came first.
func TestWhoLifts(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g, other, national := newGhost(t), newGhost(t), newGhost(t)
	l.enrol(t, join(g, other), func(r *territory.Roster) {
		r.National = &territory.National{Index: 500, ID: national.id, Name: "Service national", Identity: national.der, URL: "https://localhost:7444"}
	})
	helper, now := id.Random[territory.HelperID](), l.clock.Now()
	lift := &record.Helper{Helper: helper, Lifts: &record.Position{Index: 100, Incarnation: 1, Seq: 2}}
	early := g.say(t, now, lift)
	suspend := g.say(t, now.Add(time.Minute), &record.Helper{Helper: helper})
	wires := [][]byte{early, suspend, other.say(t, now.Add(time.Hour), lift), national.say(t, now, lift)}
	suspended := func(want bool, what string) {
		t.Helper()
		for _, h := range []*hub{a, b} {
			if got, err := h.Suspended(t.Context(), helper); err != nil || got != want {
				t.Errorf("%s: %s: suspended %v (%v)", h.site, what, got, err)
			}
		}
	}
	apply(t, a, g.id, wires...)
	slices.Reverse(wires)
	for _, wire := range wires {
		apply(t, b, g.id, wire)
	}
	suspended(true, "lifted in advance, or by another")
	late := national.say(t, now.Add(time.Hour), lift)
	apply(t, a, g.id, late)
	apply(t, b, g.id, late)
	suspended(false, "the national service lifts it")
	again := g.say(t, now.Add(time.Hour), &record.Helper{Helper: helper})
	own := g.say(t, now.Add(time.Hour), &record.Helper{Helper: helper, Lifts: &record.Position{Index: 100, Incarnation: 1, Seq: 3}})
	apply(t, a, g.id, again)
	apply(t, b, g.id, again)
	suspended(true, "suspended again")
	apply(t, a, g.id, own)
	apply(t, b, g.id, own)
	suspended(false, "its author lifts it")
}
