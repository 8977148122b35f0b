package record_test

import (
	"crypto/ecdsa"
	"testing"

	"pgregory.net/rapid"

	"relais/node/record"
	"relais/node/territory"
)

// history is what three hubs said, with chain hashes.
type history struct {
	roster  *territory.Roster
	records []record.Record
	hashes  []record.Hash
}

func (h *history) say(t testing.TB, r record.Record) record.Hash {
	t.Helper()
	payload, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	hash := record.ChainHash(r.Hub, payload)
	h.records = append(h.records, r)
	h.hashes = append(h.hashes, hash)
	return hash
}

// story draws what hubs may say of three mandates, forks and lies included.
func story(t testing.TB, draw *rapid.T, roster *territory.Roster) *history {
	h := &history{roster: roster}
	for _, hub := range roster.Hubs {
		var prev [16]byte
		n := rapid.IntRange(0, 6).Draw(draw, "length")
		for seq := uint32(1); seq <= uint32(n); seq++ {
			var link [16]byte
			for range rapid.SampledFrom([]int{1, 1, 1, 1, 2}).Draw(draw, "histories") {
				r := at(hub.ID, seq, someBody(draw))
				r.Prev = prev
				hash := h.say(t, r)
				link = [16]byte(hash[:16])
			}
			prev = link
		}
	}
	return h
}

func someBody(draw *rapid.T) record.Body {
	m := rapid.SampledFrom([]byte{1, 2, 3}).Draw(draw, "mandate")
	switch rapid.IntRange(0, 6).Draw(draw, "body") {
	case 0, 1:
		n := notice(m)
		n.Lines = uint8(rapid.IntRange(1, 3).Draw(draw, "lines")) // two of one mandate may differ
		return n
	case 2:
		return revocation(m, uint32(rapid.IntRange(0, 7).Draw(draw, "bits")))
	case 3:
		return byCode(m, codeOf(rapid.SampledFrom([]byte{1, 2, 3, 9}).Draw(draw, "code")))
	case 4:
		return &record.Close{Structure: fill[territory.StructureID](0x51), Cuts: []record.Position{
			{Index: uint16(rapid.IntRange(0, 3).Draw(draw, "index")), Incarnation: 1, Seq: uint32(rapid.IntRange(0, 6).Draw(draw, "cut"))},
		}}
	case 5:
		b := &record.Helper{Helper: fill[territory.HelperID](0xa1)}
		if rapid.Bool().Draw(draw, "lifts") {
			b.Lifts = &record.Position{Index: uint16(rapid.IntRange(0, 2).Draw(draw, "whose")), Incarnation: 1, Seq: uint32(rapid.IntRange(1, 6).Draw(draw, "which"))}
		}
		return b
	default:
		return &record.Unknown{Of: 99, Version: 1, Raw: []byte{byte(rapid.IntRange(0, 3).Draw(draw, "raw"))}}
	}
}

// ledger puts some records of the story together, in any order, some twice.
func (h *history) ledger(draw *rapid.T, name string) *record.Ledger {
	l := new(record.Ledger)
	for _, i := range rapid.SliceOf(rapid.IntRange(0, max(0, len(h.records)-1))).Draw(draw, name) {
		if i < len(h.records) {
			l.Add(h.hashes[i], h.records[i])
		}
	}
	return l
}

type verdict struct {
	record.Standing
	Quarantined bool
}

func (h *history) verdicts(l *record.Ledger) (out [3]verdict) {
	for i := range out {
		out[i].Standing, out[i].Quarantined = l.Standing(fill[record.MandateID](byte(i+1)), h.roster)
	}
	return out
}

func (h *history) heads(l *record.Ledger) (out []uint32) {
	for _, hub := range h.roster.Hubs {
		log := record.LogID{Hub: hub.ID, Incarnation: 1}
		out = append(out, l.Head(log), l.ForkedAt(log))
	}
	return out
}

func join(ledgers ...*record.Ledger) *record.Ledger {
	all := new(record.Ledger)
	for _, l := range ledgers {
		all.Merge(l)
	}
	return all
}

// TestMerge: commutative, associative, idempotent, and nothing stopped is ever
// running again.
func TestMerge(t *testing.T) {
	var keys []*ecdsa.PrivateKey
	for range 3 {
		key, _ := newKey(t)
		keys = append(keys, key)
	}
	roster := rosterOf(t, keys...)
	roster.Structures[0].Serving = roster.Structures[0].Serving[:2]
	rapid.Check(t, func(draw *rapid.T) {
		h := story(t, draw, roster)
		a, b, c := h.ledger(draw, "a"), h.ledger(draw, "b"), h.ledger(draw, "c")
		same := func(law string, x, y *record.Ledger) {
			t.Helper()
			helper := fill[territory.HelperID](0xa1)
			if x.Suspended(helper, h.roster) != y.Suspended(helper, h.roster) {
				draw.Fatalf("not %s: one suspends the helper", law)
			}
			if h.verdicts(x) != h.verdicts(y) {
				draw.Fatalf("not %s: %+v and %+v", law, h.verdicts(x), h.verdicts(y))
			}
			for i, n := range h.heads(x) {
				if n != h.heads(y)[i] {
					draw.Fatalf("not %s: heads %v and %v", law, h.heads(x), h.heads(y))
				}
			}
		}
		same("commutative", join(a, b), join(b, a))
		same("associative", join(join(a, b), c), join(a, join(b, c)))
		same("idempotent", join(a, a, b, b), join(a, b))

		before, after := h.verdicts(a), h.verdicts(join(a, b))
		for i := range before {
			known := before[i].Notices > 0 // without a notice there is nothing to use
			if known && (before[i].All && !after[i].All || before[i].Lines&^after[i].Lines != 0 ||
				before[i].Conflict() && !after[i].Conflict() || before[i].Quarantined && !after[i].Quarantined) {
				draw.Fatalf("mandate %d: %+v became %+v", i+1, before[i], after[i])
			}
		}
	})
}

func TestForkedAt(t *testing.T) {
	_, hub := newKey(t)
	log := record.LogID{Hub: hub, Incarnation: 1}
	h := new(history)
	first := at(hub, 1, notice(1))
	one := h.say(t, first)
	second := at(hub, 2, notice(2))
	second.Prev = [16]byte(one[:16])
	h.say(t, second)
	twin := at(hub, 2, notice(3))
	twin.Prev = [16]byte(one[:16])
	h.say(t, twin)
	loose := at(hub, 2, revocation(1, 0)) // names no predecessor
	h.say(t, loose)

	for _, c := range []struct {
		name  string
		which []int
		want  uint32
	}{
		{"nothing", nil, 0},
		{"one history", []int{0, 1}, 0},
		{"two records at one place", []int{0, 1, 2}, 2},
		{"a link that does not hold", []int{0, 3}, 1},
		{"a gap is no fork", []int{3}, 0},
	} {
		l := new(record.Ledger)
		for _, i := range c.which {
			l.Add(h.hashes[i], h.records[i])
		}
		if got := l.ForkedAt(log); got != c.want {
			t.Errorf("%s: forked at %d, want %d", c.name, got, c.want)
		}
	}
}
