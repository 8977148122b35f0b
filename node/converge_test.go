package node_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"relais/node/id"
	"relais/node/record"
	"relais/node/territory"
)

// TestConverge tells three hubs the same random story in three random orders,
// with repetitions and in random batches. Whatever they heard, they say the same,
// which is what the pure record.Ledger says; and at no step is anything stopped
// running again.
func TestConverge(t *testing.T) {
	t.Parallel()
	l := newLand(t)
	hubs := []*hub{l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple"), l.newHub(t, "Le bus")}
	const rounds = 12
	var ghosts []*ghost
	for range 3 * rounds {
		ghosts = append(ghosts, newGhost(t))
	}
	l.enrol(t, join(ghosts...))
	seed := uint64(time.Now().UnixNano())
	draw := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		story := tell(t, l, draw, ghosts[3*round:3*round+3], uint16(100+3*round))
		for _, h := range hubs {
			hear(t, h, draw, story)
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
	meet(t, hubs[0], hubs[1])
	meet(t, hubs[1], hubs[2])
}

// telling is what a few hubs said of a few mandates.
type telling struct {
	wires    [][]byte
	mandates []record.MandateID
	ghosts   []*ghost
	index    uint16 // in the roster, of the first ghost
	helper   territory.HelperID
}

func tell(t *testing.T, l *land, draw *rand.Rand, ghosts []*ghost, index uint16) telling {
	t.Helper()
	s := telling{ghosts: ghosts, index: index, helper: id.Random[territory.HelperID]()}
	var codes []record.StopCode
	var notices []*record.Notice
	for range 4 {
		code := record.NewStopCode()
		n := l.notice(code)
		codes, notices, s.mandates = append(codes, code), append(notices, n), append(s.mandates, n.Mandate)
	}
	for _, g := range ghosts {
		for range 2 + draw.IntN(8) {
			histories := []*ghost{g}
			if draw.IntN(8) == 0 { // a machine brought back from a copy
				twin := *g
				histories = append(histories, &twin)
			}
			for _, author := range histories {
				s.wires = append(s.wires, author.say(t, l.clock.Now(), sentence(l, draw, notices, codes, s)))
			}
		}
	}
	return s
}

func sentence(l *land, draw *rand.Rand, notices []*record.Notice, codes []record.StopCode, s telling) record.Body {
	i := draw.IntN(len(notices))
	switch draw.IntN(7) {
	case 0, 1:
		return notices[i]
	case 2:
		n := *notices[i]
		n.Lines = uint8(1 + draw.IntN(4)) // another notice of the same mandate
		return &n
	case 3:
		return l.stop(notices[i].Mandate, uint32(draw.IntN(4)))
	case 4:
		code := codes[draw.IntN(len(codes))] // the right one or another's
		return &record.Revocation{
			Mandate: notices[i].Mandate, Reason: record.ReasonPerson, Channel: record.ChannelKiosk, Claimed: l.clock.Now(), Code: &code,
		}
	case 5:
		b := &record.Helper{Helper: s.helper}
		if draw.IntN(2) == 0 { // its own suspension, another's, one to come, or none
			b.Lifts = &record.Position{Index: s.index + uint16(draw.IntN(3)), Incarnation: 1, Seq: uint32(1 + draw.IntN(6))}
		}
		return b
	default:
		return &record.Unknown{Of: 200, Version: 1, Raw: []byte{byte(draw.IntN(20))}}
	}
}

// hear gives a hub the story in a random order, some of it twice, and compares
// after each batch.
func hear(t *testing.T, h *hub, draw *rand.Rand, s telling) {
	t.Helper()
	order := slices.Clone(s.wires)
	order = append(order, s.wires[:draw.IntN(len(s.wires))]...)
	draw.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	ledger := new(record.Ledger)
	before := map[record.MandateID]record.Standing{}
	for len(order) > 0 {
		n := 1 + draw.IntN(min(8, len(order)))
		apply(t, h, s.ghosts[0].id, order[:n]...)
		for _, wire := range order[:n] {
			e, err := record.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			ledger.Add(e.Hash, e.Record)
		}
		order = order[n:]
		compare(t, h, ledger, s)
		neverBack(t, h, before, s)
	}
}

func compare(t *testing.T, h *hub, ledger *record.Ledger, s telling) {
	t.Helper()
	for _, g := range s.ghosts {
		state, err := h.LogState(t.Context(), g.log())
		if err != nil {
			t.Fatal(err)
		}
		if state.Hash != ledger.HeadHash(g.log()) {
			t.Errorf("%s: its vector shows another history of %d at %d", h.site, state.Forked, state.Head)
		}
		if state.Head != ledger.Head(g.log()) || state.Forked != ledger.ForkedAt(g.log()) {
			t.Errorf("%s: head %d fork %d, want %d and %d", h.site, state.Head, state.Forked, ledger.Head(g.log()), ledger.ForkedAt(g.log()))
		}
	}
	suspended, err := h.Suspended(t.Context(), s.helper)
	if want := ledger.Suspended(s.helper, h.Roster()); err != nil || suspended != want {
		t.Errorf("%s: suspended %v, want %v (%v)", h.site, suspended, want, err)
	}
	for _, m := range s.mandates {
		got, quarantined, err := h.Standing(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		want, wantQuarantined := ledger.Standing(m, h.Roster())
		if want.Notices == 0 { // nothing to use, and no row
			want = record.Standing{}
		}
		if got != want || quarantined != wantQuarantined {
			t.Errorf("%s: %+v quarantined %v, want %+v %v", h.site, got, quarantined, want, wantQuarantined)
		}
	}
}

func neverBack(t *testing.T, h *hub, before map[record.MandateID]record.Standing, s telling) {
	t.Helper()
	for _, m := range s.mandates {
		now, _, err := h.Standing(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		was := before[m]
		if was.All && !now.All || was.Lines&^now.Lines != 0 || was.Conflict() && !now.Conflict() {
			t.Errorf("%s: %+v became %+v", h.site, was, now)
		}
		before[m] = now
	}
}

// TestMeetingsConverge tells each of three hubs a part of a story, forks
// included. Ordinary meetings, and nothing else, bring them all to say the same:
// what the pure ledger says of the whole.
func TestMeetingsConverge(t *testing.T) {
	t.Parallel()
	l := newLand(t)
	hubs := []*hub{l.newHub(t, "Valbrume"), l.newHub(t, "Port-Exemple"), l.newHub(t, "Le bus")}
	const rounds = 12
	var ghosts []*ghost
	for range 3 * rounds {
		ghosts = append(ghosts, newGhost(t))
	}
	l.enrol(t, join(ghosts...))
	seed := uint64(time.Now().UnixNano())
	draw := rand.New(rand.NewPCG(seed, 0))
	for round := range rounds {
		story := tell(t, l, draw, ghosts[3*round:3*round+3], uint16(100+3*round))
		whole := new(record.Ledger)
		for _, wire := range story.wires {
			e, err := record.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			told := draw.IntN(3)
			for i, h := range hubs {
				if i == told || draw.IntN(2) == 0 {
					apply(t, h, story.ghosts[0].id, wire)
				}
			}
			whole.Add(e.Hash, e.Record)
		}
		for range 10 { // what waits for a predecessor is handed on once that is here
			meet(t, hubs[1], hubs[2])
			meet(t, hubs[0], hubs[1])
		}
		meet(t, hubs[1], hubs[2])
		for _, h := range hubs {
			compare(t, h, whole, story)
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
}

// TestOneEntryABatch: however many records a batch holds, it is one journal entry,
// and a batch of nothing new is none.
func TestOneEntryABatch(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	g := newGhost(t)
	l.enrol(t, join(g))
	entries := func() int64 {
		report, err := h.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return sizeOf(t, report)
	}
	before := entries()
	var wires [][]byte
	for range 20 {
		wires = append(wires, g.say(t, l.clock.Now(), l.notice(record.NewStopCode())))
	}
	var told int
	h.OnRecord(func(_ []byte, from territory.HubID) {
		if from == g.id {
			told++
		}
	})
	apply(t, h, g.id, wires...)
	apply(t, h, g.id, wires...)
	if n := entries() - before; n != 1 {
		t.Errorf("%d entries", n)
	}
	if told != 20 {
		t.Errorf("subscribers were told %d times", told)
	}
}
