package gossip

import (
	"crypto/sha256"
	"sync"
)

// seenRecords is how many recent records are remembered. Each comes four to six
// times; forgetting one costs a needless Apply and nothing else.
const seenRecords = 4096

// seen remembers the last records that were taken, by their octets.
type seen struct {
	mu   sync.Mutex // guards what follows
	keys map[[16]byte]bool
	ring [seenRecords][16]byte
	next int
}

func newSeen() *seen { return &seen{keys: make(map[[16]byte]bool, seenRecords)} }

func seenKey(wire []byte) [16]byte {
	sum := sha256.Sum256(wire)
	return [16]byte(sum[:16])
}

func (s *seen) has(wire []byte) bool {
	key := seenKey(wire)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[key]
}

func (s *seen) add(wire []byte) {
	key := seenKey(wire)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys[key] {
		return
	}
	delete(s.keys, s.ring[s.next])
	s.ring[s.next] = key
	s.keys[key] = true
	s.next = (s.next + 1) % seenRecords
}
