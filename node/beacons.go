package node

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"relais/node/beacon"
	"relais/node/record"
	"relais/node/territory"
)

const (
	// beaconShare is the time between two beacons of a whole territory: each of N
	// hubs sends one every N shares, so that a large one costs no more.
	beaconShare = time.Minute
	// beaconGap is the least time between two beacons of one hub that are passed
	// on: what a hub gone bad sends on top goes no further.
	beaconGap = 20 * time.Second
	// beaconsMissed is how many may be missed before what a hub said is too old to
	// show.
	beaconsMissed = 3
	// delaysKept is how many delays the figures of propagation are made from.
	delaysKept = 256
)

// ErrNotBeacon wraps the reasons for which a beacon is not taken.
var ErrNotBeacon = errors.New("not a beacon of this territory")

// beacons holds the last word of each hub, in memory: after a restart the next
// ones come.
type beacons struct {
	mu     sync.Mutex
	last   map[territory.HubID]heardBeacon // guarded by mu
	delays []time.Duration                 // guarded by mu: the latest, a ring
	next   int                             // guarded by mu: of the ring
}

// heardBeacon is a beacon and what its way says.
type heardBeacon struct {
	beacon.Beacon
	received time.Time
	delay    time.Duration
}

// Propagation is how long beacons were on their way, over the latest of all hubs:
// the median, and what one in a hundred exceeds. Of is how many; 0 before any came.
type Propagation struct {
	P50 time.Duration `json:"p50"` // nanoseconds in JSON
	P99 time.Duration `json:"p99"`
	Of  int           `json:"of"`
}

// Beacon returns this hub's sign of life, and after how long the next is due. It
// is nil while the hub has no place in the roster.
func (n *Node) Beacon() (wire []byte, next time.Duration, err error) {
	roster := n.Roster()
	if roster == nil || n.Outside() {
		return nil, beaconShare, nil
	}
	now := n.now()
	b := beacon.Beacon{Hub: n.self, At: now.UTC().Truncate(time.Millisecond), Roster: roster.Version}
	for _, hub := range roster.Hubs {
		if hub.State == territory.HubActive && hub.ID != n.self && n.connected(hub.ID, now) {
			b.Hears = append(b.Hears, hub.Index)
		}
	}
	slices.Sort(b.Hears)
	wire, err = b.Sign(n.birth.Territory, n.witness)
	return wire, beaconInterval(roster), err
}

// beaconInterval is the time between two beacons of one hub.
func beaconInterval(roster *territory.Roster) (every time.Duration) {
	for _, hub := range roster.Hubs {
		if hub.State == territory.HubActive {
			every += beaconShare
		}
	}
	return every
}

// TakeBeacon notes another hub's sign of life, whoever brings it, and returns
// whether it is worth passing on: the first of its time, and not too soon after
// the one before. The error wraps ErrNotBeacon.
func (n *Node) TakeBeacon(wire []byte) (fresh bool, err error) {
	b, err := beacon.Parse(wire)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrNotBeacon, err)
	}
	if b.Hub == n.self {
		return false, nil
	}
	roster := n.Roster()
	if roster == nil {
		return false, nil
	}
	hub, listed := roster.Hub(b.Hub)
	if !listed || hub.State != territory.HubActive {
		return false, fmt.Errorf("%w: %s is no hub of it", ErrNotBeacon, b.Hub)
	}
	if err := beacon.Verify(wire, n.birth.Territory, hub.Witness); err != nil {
		return false, fmt.Errorf("%w: %w", ErrNotBeacon, err)
	}
	now := n.now()
	delay := max(now.Sub(b.At)-n.publishing.aheadOf(b.Hub, now), 0)
	return n.beacons.take(heardBeacon{b, now, delay}), nil
}

func (s *beacons) take(b heardBeacon) (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, heard := s.last[b.Hub]
	ahead := before.At.Sub(b.received) > record.MaxClockSkew // its clock was, and is mended
	if heard && (b.received.Sub(before.received).Abs() < beaconGap || !ahead && !b.At.After(before.At)) {
		return false
	}
	if s.last == nil {
		s.last = make(map[territory.HubID]heardBeacon)
	}
	s.last[b.Hub] = b
	if len(s.delays) < delaysKept {
		s.delays = append(s.delays, b.delay)
	} else {
		s.delays[s.next%delaysKept] = b.delay
	}
	s.next++
	return true
}

// of is what a hub last said, unless it is too old to hold.
func (s *beacons) of(hub territory.HubID, now time.Time, every time.Duration) (heardBeacon, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, heard := s.last[hub]
	return b, heard && now.Sub(b.received).Abs() < beaconsMissed*every+beaconShare
}

// Propagation returns how long beacons took to come.
func (n *Node) Propagation() Propagation {
	n.beacons.mu.Lock()
	sorted := slices.Sorted(slices.Values(n.beacons.delays))
	n.beacons.mu.Unlock()
	if len(sorted) == 0 {
		return Propagation{}
	}
	return Propagation{P50: sorted[len(sorted)/2], P99: sorted[len(sorted)*99/100], Of: len(sorted)}
}
