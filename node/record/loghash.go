package record

import "relais/node/label"

// Variant is one of the records known at a place of a log, as LogHash sees it.
type Variant struct {
	Seq  uint32
	Hash Hash
	Prev [16]byte
}

// LogHash is what a vector shows of a log up to a place: with one history the
// chain hash there, which stands for all before it; with more,
// SHA-256(label ‖ the chain hashes of all variants from the fork to the place,
// by seq, then by hash), so that two hubs agree only when they hold the same
// variants. variants are in that order and without a gap; they may begin
// anywhere at or below the fork, and without one at the place itself. Of none it
// is zero.
func LogHash(variants []Variant) Hash {
	if len(variants) == 0 {
		return Hash{}
	}
	fork := forkIn(variants)
	if fork < 0 {
		return variants[len(variants)-1].Hash
	}
	hashes := make([]byte, 0, (len(variants)-fork)*len(Hash{}))
	for _, v := range variants[fork:] {
		hashes = append(hashes, v.Hash[:]...)
	}
	return label.Fork.Sum(hashes)
}

// forkIn returns where the first place with two histories begins, and -1 for
// none: the rule of Ledger.ForkedAt.
func forkIn(variants []Variant) int {
	for i, v := range variants {
		for _, w := range variants[i+1:] {
			if w.Seq > v.Seq+1 {
				break
			}
			if w.Seq == v.Seq || w.Prev != [16]byte(v.Hash[:16]) {
				return i
			}
		}
	}
	return -1
}
