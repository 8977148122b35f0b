package record_test

import (
	"crypto/ecdsa"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"relais/node/record"
)

func TestLogHash(t *testing.T) {
	log := forkedLog()
	one, loose, two := log[0], log[1], log[2]
	linear := []record.Variant{one, two}
	if record.LogHash(nil) != (record.Hash{}) {
		t.Error("of nothing")
	}
	if got := record.LogHash(linear); got != two.Hash {
		t.Errorf("one history shows %x", got)
	}
	if got := record.LogHash(linear[1:]); got != two.Hash {
		t.Errorf("the place itself shows %x", got)
	}
	forked := record.LogHash(log)
	for name, other := range map[string][]record.Variant{
		"the lowest hash":        {loose},
		"the other":              {two},
		"a link that breaks":     {one, loose},
		"from the place itself":  {loose, two}, // begins above the fork: not its hash
		"three histories":        append(slices.Clone(log), record.Variant{Seq: 2, Hash: hashOf(0x44)}),
		"one place further":      append(slices.Clone(log), record.Variant{Seq: 3, Hash: hashOf(0x44)}),
		"without its first half": {one, two},
	} {
		if record.LogHash(other) == forked {
			t.Errorf("%s looks like the forked log", name)
		}
	}
	before := record.Variant{Seq: 9, Hash: hashOf(9)}
	after := slices.Clone(log)
	for i := range after {
		after[i].Seq += 9
	}
	after[0].Prev = [16]byte(before.Hash[:16])
	if record.LogHash(append([]record.Variant{before}, after...)) != record.LogHash(after) {
		t.Error("what is below the fork changes the hash")
	}
}

// TestHeadHash: two sets of one log show the same hash exactly when they hold the
// same records up to the same head.
func TestHeadHash(t *testing.T) {
	var keys []*ecdsa.PrivateKey
	for range 3 {
		key, _ := newKey(t)
		keys = append(keys, key)
	}
	roster := rosterOf(t, keys...)
	rapid.Check(t, func(draw *rapid.T) {
		h := story(t, draw, roster)
		a, b := h.ledger(draw, "a"), h.ledger(draw, "b")
		for _, hub := range roster.Hubs {
			log := record.LogID{Hub: hub.ID, Incarnation: 1}
			if a.HeadHash(log) == b.HeadHash(log) != slices.Equal(h.upToHead(a, log), h.upToHead(b, log)) {
				draw.Fatalf("%v and %v", h.upToHead(a, log), h.upToHead(b, log))
			}
		}
	})
}

// upToHead lists which records of the story a set holds of a log, up to its head.
func (h *history) upToHead(l *record.Ledger, log record.LogID) (held []int) {
	for i, r := range h.records {
		if r.LogID == log && r.Seq <= l.Head(log) && l.Holds(h.hashes[i], r) {
			held = append(held, i)
		}
	}
	return slices.Compact(held)
}
