package node_test

import (
	"slices"
	"testing"

	"relais/node"
	"relais/node/fault"
	"relais/node/record"
	"relais/node/territory"
)

// TestConflict: two notices with one identifier, none is usable.
func TestConflict(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g, bad := newGhost(t), newGhost(t)
	l.enrol(t, join(g, bad))
	n := l.notice(record.NewStopCode())
	again := *n
	again.Lines = 9
	apply(t, h, g.id, g.say(t, l.clock.Now(), n))
	if s := standing(t, h, n.Mandate); s.Conflict() {
		t.Fatalf("%+v", s)
	}
	apply(t, h, g.id, bad.say(t, l.clock.Now(), &again))
	if s := standing(t, h, n.Mandate); !s.Conflict() {
		t.Errorf("%+v", s)
	}
	if v, err := h.Notice(t.Context(), n.Mandate); err != nil || v.State != "unusable" {
		t.Errorf("state %s (%v)", v.State, err)
	}
}

// TestFork: a machine brought back from an old copy says two things at one place.
// Both are kept, its grants from there on do not count, its stops all do.
func TestFork(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, join(g))
	now := l.clock.Now()
	before, after, lost := l.notice(record.NewStopCode()), l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	one := g.say(t, now, before)
	copied := *g
	two := [][]byte{g.say(t, now, after), g.say(t, now, l.stop(before.Mandate, 1))}
	three := [][]byte{copied.say(t, now, lost), copied.say(t, now, l.stop(before.Mandate, 2)), copied.say(t, now, l.notice(record.NewStopCode()))}

	apply(t, a, g.id, append([][]byte{one}, two...)...)
	if v, _ := a.Notice(t.Context(), after.Mandate); v.State == "unusable" {
		t.Fatal("unusable before any fork")
	}
	apply(t, b, g.id, append([][]byte{one}, three...)...)
	if !behind(t, a, b) {
		t.Fatal("the other history goes unseen")
	}
	meet(t, a, b)
	for _, h := range []*hub{a, b} {
		state, err := h.LogState(t.Context(), g.log())
		if err != nil || state.Forked != 2 || state.Head != 4 {
			t.Errorf("%s: %+v (%v)", h.Name(), state, err)
		}
		if s := standing(t, h, before.Mandate); s.Lines != 3 {
			t.Errorf("%s: lines %b stopped", h.Name(), s.Lines)
		}
		for n, want := range map[*record.Notice]bool{before: false, after: true, lost: true} {
			if _, quarantined, err := h.Standing(t.Context(), n.Mandate); err != nil || quarantined != want {
				t.Errorf("%s: quarantined %v, want %v (%v)", h.Name(), quarantined, want, err)
			}
		}
		for _, other := range []*hub{a, b} {
			if behind(t, other, h) {
				t.Errorf("%s is behind %s for ever", other.Name(), h.Name())
			}
		}
		if !alarmed(t, h, "forked") {
			t.Errorf("%s: no alarm", h.Name())
		}
	}
}

func alarmed(t testing.TB, h *hub, key string) bool {
	t.Helper()
	v, err := h.Territory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(v.Alarms, func(a node.Alarm) bool { return a.Key == key })
}

// sayAgain signs a record of a hub's own log that the machine, brought back to an
// image, no longer knows.
func sayAgain(t testing.TB, l *land, h *hub, p record.Place, prev [16]byte, body record.Body) (wire []byte, next [16]byte) {
	t.Helper()
	r := record.Record{Territory: "demo", Place: p, Prev: prev, Time: l.clock.Now(), Kind: record.KindOf(body), Body: body}
	payload, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := record.Sign(h.Options.Signer, "demo", h.Self(), payload)
	if err != nil {
		t.Fatal(err)
	}
	hash := record.ChainHash(h.Self(), payload)
	return record.Assemble(h.Self(), payload, signature), [16]byte(hash[:16])
}

// TestStopOnAForkedLog: a hub put back from an image stops a mandate off line, at
// a place that the others know otherwise. Its stop reaches all by ordinary
// meetings, and all see the fork; in whatever order signature and meeting come.
func TestStopOnAForkedLog(t *testing.T) {
	for name, late := range map[string]bool{"signed before": false, "signed after": true} {
		t.Run(name, func(t *testing.T) {
			l, a, b, c := three(t)
			n := l.told(t, a, record.NewStopCode())
			log := record.LogID{Hub: a.Self(), Incarnation: 1}
			head, err := a.LogState(t.Context(), log)
			if err != nil {
				t.Fatal(err)
			}
			var lost [][]byte // what a said after the image was made
			prev := [16]byte(head.Hash[:16])
			for seq := uint32(2); seq <= 4; seq++ {
				var wire []byte
				wire, prev = sayAgain(t, l, a, record.Place{LogID: log, Seq: seq}, prev, l.notice(record.NewStopCode()))
				lost = append(lost, wire)
			}
			apply(t, b, a.Self(), lost...)
			apply(t, c, a.Self(), lost...)
			author(t, a, l.stop(n.Mandate, 0))
			if late {
				pull(t, a, b)
				signAll(t, a)
			} else {
				signAll(t, a)
			}
			meet(t, a, b)
			meet(t, b, c)
			for _, h := range []*hub{a, b, c} {
				state, err := h.LogState(t.Context(), log)
				if err != nil || state.Head != 4 || state.Forked != 2 {
					t.Errorf("%s: %+v (%v)", h.site, state, err)
				}
				if s := standing(t, h, n.Mandate); !s.All {
					t.Errorf("%s: still runs: %+v", h.site, s)
				}
				if !alarmed(t, h, "forked") {
					t.Errorf("%s: no alarm", h.site)
				}
			}
			if p := author(t, a, l.notice(record.NewStopCode())); p.Incarnation != 2 {
				t.Errorf("then wrote at %+v", p)
			}
		})
	}
}

// TestSuccessorFirst: an image held a record not yet signed, and others know what
// this hub wrote after it. Once it is signed its successor is heard.
func TestSuccessorFirst(t *testing.T) {
	l, a, b, _ := three(t)
	body, after := l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	p := author(t, a, body)
	wire, prev := sayAgain(t, l, a, p, [16]byte{}, body)
	next := record.Place{LogID: p.LogID, Seq: 2}
	lost, _ := sayAgain(t, l, a, next, prev, after)
	if done := apply(t, a, b.Self(), wire, lost); done != (node.Applied{New: 1, Known: 1, Held: 1}) {
		t.Fatalf("%+v", done)
	}
	signAll(t, a)
	state, err := a.LogState(t.Context(), p.LogID)
	if err != nil || state.Head != 2 || state.Forked != 0 {
		t.Errorf("%+v (%v)", state, err)
	}
	if s := standing(t, a, after.Mandate); s.Notices != 1 {
		t.Errorf("what waited is not heard: %+v", s)
	}
}

// TestBroughtBackTwice: the next log may have been written to already, before the
// machine was brought back again.
func TestBroughtBackTwice(t *testing.T) {
	l, a, b, _ := three(t)
	l.told(t, a, record.NewStopCode())
	log := record.LogID{Hub: a.Self(), Incarnation: 1}
	head, err := a.LogState(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := sayAgain(t, l, a, record.Place{LogID: log, Seq: 2}, [16]byte(head.Hash[:16]), l.notice(record.NewStopCode()))
	log.Incarnation = 2
	second, _ := sayAgain(t, l, a, record.Place{LogID: log, Seq: 1}, [16]byte{}, l.notice(record.NewStopCode()))
	apply(t, a, b.Self(), first, second)
	if p := author(t, a, l.notice(record.NewStopCode())); p.Incarnation != 3 || p.Seq != 1 {
		t.Errorf("wrote at %+v", p)
	}
	signAll(t, a)
	if alarmed(t, a, "forked") {
		t.Error("it forked its own log")
	}
	t.Run("ErrNoneLeft", func(t *testing.T) {
		log.Incarnation = 1<<16 - 1
		last, _ := sayAgain(t, l, a, record.Place{LogID: log, Seq: 1}, [16]byte{}, l.notice(record.NewStopCode()))
		apply(t, a, b.Self(), last)
		if err := a.SetIncarnation(t.Context(), log.Incarnation); err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.Author(t.Context(), l.notice(record.NewStopCode())); !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v", err)
		}
	})
}

// TestRolledBack: a hub that finds others know its log further than it does opens
// another one.
func TestRolledBack(t *testing.T) {
	l, a, b, _ := three(t)
	author(t, a, l.notice(record.NewStopCode()))
	signAll(t, a)
	meet(t, a, b)

	// What a said after the copy was made, as its own key signed it.
	log := record.LogID{Hub: a.Self(), Incarnation: 1}
	head, err := a.LogState(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	lost := l.notice(record.NewStopCode())
	r := record.Record{
		Territory: "demo", Place: record.Place{LogID: log, Seq: 2}, Prev: [16]byte(head.Hash[:16]),
		Time: l.clock.Now(), Kind: record.KindNotice, Body: lost,
	}
	payload, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := record.Sign(a.Options.Signer, "demo", a.Self(), payload)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, a, b.Self(), record.Assemble(a.Self(), payload, signature))
	p := author(t, a, l.notice(record.NewStopCode()))
	if p.Incarnation != 2 || p.Seq != 1 {
		t.Fatalf("wrote at %+v", p)
	}
	signAll(t, a)
	meet(t, a, b)
	if s := standing(t, b, lost.Mandate); s.Notices != 1 {
		t.Errorf("what was said before is lost: %+v", s)
	}
	if p := author(t, a, l.notice(record.NewStopCode())); p.Incarnation != 2 || p.Seq != 2 {
		t.Errorf("then wrote at %+v", p)
	}
}

// TestExpelled: at or below the cut a record counts whoever brings it, above it
// never does, whatever came first.
func TestExpelled(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, join(g))
	now := l.clock.Now()
	kept, gone := l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	wires := [][]byte{g.say(t, now, kept), g.say(t, now, l.stop(kept.Mandate, 1))}
	cutRecord, err := record.Parse(wires[1])
	if err != nil {
		t.Fatal(err)
	}
	wires = append(wires, g.say(t, now, gone), g.say(t, now, l.stop(kept.Mandate, 2)))
	apply(t, a, g.id, wires...) // a heard it all before it heard of the expulsion, b nothing
	l.enrol(t, join(g), func(r *territory.Roster) {
		hub := &r.Hubs[2]
		hub.State, hub.ExpelledAt = territory.HubExpelled, now.Add(-long)
		hub.Cuts = []territory.Cut{{Incarnation: 1, Seq: 2, Hash: cutRecord.Hash[:]}}
	})
	meet(t, a, b)
	if got := apply(t, b, a.Self(), wires...); got.Refused != 2 {
		t.Errorf("above the cut: %+v", got)
	}
	for _, h := range []*hub{a, b} {
		if s := standing(t, h, kept.Mandate); s.Notices != 1 || s.Lines != 1 {
			t.Errorf("%s: below the cut %+v", h.Name(), s)
		}
		if s := standing(t, h, gone.Mandate); s.Notices != 0 {
			t.Errorf("%s: above the cut %+v", h.Name(), s)
		}
		if state, err := h.LogState(t.Context(), g.log()); err != nil || state.Head != 2 {
			t.Errorf("%s: head %d (%v)", h.Name(), state.Head, err)
		}
	}
}

// TestHeardLater: a notice that an older roster does not let speak is heard once
// a newer one does.
func TestHeardLater(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g := newGhost(t)
	l.enrol(t, join(g), func(r *territory.Roster) { r.Structures[0].Serving = r.Structures[0].Serving[:1] })
	n := l.notice(record.NewStopCode())
	apply(t, h, g.id, g.say(t, l.clock.Now(), n))
	if s := standing(t, h, n.Mandate); s.Notices != 0 {
		t.Fatalf("%+v", s)
	}
	l.enrol(t, join(g))
	if s := standing(t, h, n.Mandate); s.Notices != 1 {
		t.Errorf("%+v", s)
	}
}

func TestClose(t *testing.T) {
	l := newLand(t)
	a, b := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	g := newGhost(t)
	l.enrol(t, join(g))
	now := l.clock.Now()
	first, second := l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	wires := [][]byte{g.say(t, now, first), g.say(t, now, second), g.say(t, now, &record.Close{
		Structure: l.office, Cuts: []record.Position{{Index: 9, Incarnation: 1, Seq: 5}, {Index: 100, Incarnation: 1, Seq: 1}},
	})}
	for h, order := range map[*hub][]int{a: {0, 1, 2}, b: {2, 1, 0}} {
		for _, i := range order {
			apply(t, h, g.id, wires[i])
		}
		if x, y := standing(t, h, first.Mandate), standing(t, h, second.Mandate); !x.All || y.All {
			t.Errorf("order %v: %+v %+v", order, x, y)
		}
	}
}

// TestCloseOfALaterHub: a close whose cut names a hub that only a later roster
// has ends its mandates whichever came first.
func TestCloseOfALaterHub(t *testing.T) {
	l := newLand(t)
	first, second := l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple")
	author, later := newGhost(t), newGhost(t)
	l.enrol(t, join(author))
	now := l.clock.Now()
	n, after := l.notice(record.NewStopCode()), l.notice(record.NewStopCode())
	told := [][]byte{later.say(t, now, n), later.say(t, now, after)}
	end := author.say(t, now, &record.Close{
		Structure: l.office, Cuts: []record.Position{{Index: 101, Incarnation: 1, Seq: 1}},
	})
	apply(t, first, author.id, end)
	l.enrol(t, join(author, later))
	apply(t, first, author.id, told...)
	apply(t, second, author.id, append(told, end)...)
	for range 2 { // and the next roster changes nothing
		for _, h := range []*hub{first, second} {
			if x, y := standing(t, h, n.Mandate), standing(t, h, after.Mandate); !x.All || y.All {
				t.Errorf("%s: %+v %+v", h.site, x, y)
			}
		}
		l.enrol(t, join(author, later))
	}
}

// TestExpelledMeanwhile: records that arrive while the roster changes are taken by
// the old one or refused by the new, never left between.
func TestExpelledMeanwhile(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g := newGhost(t)
	l.enrol(t, join(g))
	var wires [][]byte
	var cut record.Hash
	for range 60 {
		wire := g.say(t, l.clock.Now(), l.notice(record.NewStopCode()))
		if wires = append(wires, wire); len(wires) == 10 {
			e, err := record.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			cut = e.Hash
		}
	}
	done := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		for i, wire := range wires {
			if i == 20 {
				close(started)
			}
			if _, err := h.Apply(t.Context(), [][]byte{wire}, g.id); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	<-started
	l.enrol(t, join(g), func(r *territory.Roster) {
		r.Hubs[1].State = territory.HubExpelled
		r.Hubs[1].Cuts = []territory.Cut{{Incarnation: 1, Seq: 10, Hash: cut[:]}}
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	state, err := h.LogState(t.Context(), g.log())
	if err != nil || state.Head != 10 {
		t.Errorf("head %d (%v)", state.Head, err)
	}
	v, err := h.Territory(t.Context())
	if err != nil || v.Notices != 10 {
		t.Errorf("%d notices count (%v)", v.Notices, err)
	}
}
