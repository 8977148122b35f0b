package gossip

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"relais/node/territory"
)

const (
	// meetInterval is how often absent hubs are looked at. The link's breaker
	// spaces the calls to each.
	meetInterval = time.Second
	// keepSessions is up to how many hubs a session is kept with all of them;
	// in a larger territory memberlist's traffic makes the sessions it needs.
	keepSessions = 24
	// callsAtOnce bounds the calls under way, and so the joins.
	callsAtOnce = 8
	// absentInterval is how often, beyond keepSessions, one random absent hub is
	// called: two islands need but one bridge.
	absentInterval = time.Minute
	// joinInterval is the pause before a hub that is connected and still no
	// member is asked again.
	joinInterval = 5 * time.Second
	// compareInterval is how often a hub compares what it knows with another, a
	// fifth more or less, whatever else was said: nothing is missed for longer.
	compareInterval = time.Minute
	// aliveInterval is how often standing sessions count as a sign of life.
	aliveInterval = 10 * time.Second
)

// meetLoop finds the other hubs of the roster, for as long as there are any to
// find: it calls the absent, compares with the newly connected and brings them
// into the pool.
func (p *Pool) meetLoop(ctx context.Context) {
	m := meeting{
		pool: p, joined: make(map[territory.HubID]time.Time),
		calls: make(chan struct{}, callsAtOnce), joins: make(chan struct{}, callsAtOnce),
	}
	defer m.work.Wait()
	m.tellOfRoster()
	m.callAbsent(ctx)
	for {
		next := time.NewTimer(time.Duration(float64(meetInterval) * (0.8 + 0.4*rand.Float64())))
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case hub := <-p.fresh:
			next.Stop()
			p.sendVector(ctx, replyWanted, hub)
			m.join(ctx, hub)
		case <-next.C:
			m.callAbsent(ctx)
			m.joinStrangers(ctx)
			m.noteAlive()
			m.tellOfRoster()
			m.compare(ctx)
		}
	}
}

// meeting is the state of meetLoop, which alone touches it.
type meeting struct {
	pool   *Pool
	work   sync.WaitGroup
	calls  chan struct{} // a slot each
	joins  chan struct{}
	joined map[territory.HubID]time.Time // last asked to join
	absent time.Time                     // last call beyond keepSessions
	alive  time.Time                     // last noteAlive
	roster uint32                        // the version the others were told of
	next   time.Time                     // comparison
}

// others are the active hubs of the roster but this one.
func (m *meeting) others() []territory.HubID {
	roster := m.pool.local.Roster()
	if roster == nil {
		return nil
	}
	var hubs []territory.HubID
	for _, h := range roster.Hubs {
		if h.State == territory.HubActive && h.ID != m.pool.link.Self() {
			hubs = append(hubs, h.ID)
		}
	}
	return hubs
}

// callAbsent calls hubs that no session stands with.
func (m *meeting) callAbsent(ctx context.Context) {
	others := m.others()
	connected := func(h territory.HubID) bool { return m.pool.link.Peer(h).Connected }
	absent := slices.DeleteFunc(slices.Clone(others), connected)
	if len(absent) == 0 {
		return
	}
	rand.Shuffle(len(absent), func(i, j int) { absent[i], absent[j] = absent[j], absent[i] })
	if len(others)-len(absent) >= m.pool.keep {
		for _, hub := range m.pool.link.Rendezvous() {
			m.start(m.calls, func() { m.pool.link.Connect(ctx, hub) })
		}
		members := m.pool.Members()
		absent = slices.DeleteFunc(absent, func(h territory.HubID) bool { return slices.Contains(members, h) })
		if len(absent) == 0 || time.Since(m.absent) < absentInterval {
			return
		}
		m.absent = time.Now()
		absent = absent[:1]
	}
	for _, hub := range absent {
		m.start(m.calls, func() { m.pool.link.Connect(ctx, hub) }) // Up tells of success
	}
}

// start runs f, unless enough of its kind is under way already.
func (m *meeting) start(slots chan struct{}, f func()) bool {
	select {
	case slots <- struct{}{}:
		m.work.Go(func() {
			defer func() { <-slots }()
			f()
		})
		return true
	default:
		return false
	}
}

// joinStrangers asks those that are connected and still no members.
func (m *meeting) joinStrangers(ctx context.Context) {
	for _, hub := range m.others() {
		if m.pool.link.Peer(hub).Connected {
			m.join(ctx, hub)
		}
	}
}

// join brings a connected hub into the pool, unless it is in or was just asked.
func (m *meeting) join(ctx context.Context, hub territory.HubID) {
	if !m.pool.isHub(hub) || slices.Contains(m.pool.Members(), hub) || time.Since(m.joined[hub]) < joinInterval {
		return
	}
	started := m.start(m.joins, func() {
		list := m.pool.list.Load()
		if list == nil || ctx.Err() != nil {
			return
		}
		if _, err := list.Join([]string{joinAddress(hub)}); err != nil {
			m.pool.log.Debug("gossip join failed", "peer", hub.String(), "err", err)
		}
	})
	if started {
		m.joined[hub] = time.Now()
	}
}

// noteAlive counts a session that stands as a sign of life: its keep-alive is
// one. In a territory too large for a session with everybody, so is the word of
// memberlist, which probes for all.
func (m *meeting) noteAlive() {
	if time.Since(m.alive) < aliveInterval {
		return
	}
	m.alive = time.Now()
	now := m.pool.now()
	others := m.others()
	var members []territory.HubID
	if len(others) > m.pool.keep {
		members = m.pool.Members()
	}
	for _, hub := range others {
		status := m.pool.link.Peer(hub)
		m.pool.show(status)
		if status.Connected || slices.Contains(members, hub) {
			m.pool.hear(hub, now)
		}
	}
}

// compare asks a hub at random, now and then, to compare.
func (m *meeting) compare(ctx context.Context) {
	now := time.Now()
	if now.Before(m.next) {
		return
	}
	first := m.next.IsZero() // everybody starts at once in the morning
	m.next = now.Add(time.Duration(float64(m.pool.every) * (0.8 + 0.4*rand.Float64())))
	if first {
		return
	}
	if live := m.pool.live(); len(live) > 0 {
		m.pool.sendVector(ctx, replyWanted, live[rand.IntN(len(live))])
	}
}

// tellOfRoster hints at a new roster: vectors carry its version.
func (m *meeting) tellOfRoster() {
	roster := m.pool.local.Roster()
	if roster == nil || roster.Version == m.roster {
		return
	}
	if m.roster != 0 {
		m.pool.hint()
	}
	m.roster = roster.Version
}
