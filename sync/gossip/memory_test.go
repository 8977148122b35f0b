package gossip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sync"
	"testing"
	"time"

	"relais/node"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/gossip"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// memory is a node in memory. Its records are index ‖ seq ‖ text ‖ checksum,
// the checksum standing for the signature; it takes them in any order.
type memory struct {
	terr *linktest.Territory
	self uint16
	told func(wire []byte, from territory.HubID)

	mu       sync.Mutex
	logs     map[uint16]map[uint32][]byte
	at       map[string]time.Time // when each record came
	applied  int                  // calls of Apply
	refused  int
	heard    map[territory.HubID]time.Time
	lost     map[territory.HubID]time.Time
	compared map[territory.HubID]time.Time
	undated  map[territory.HubID]time.Time
	through  map[territory.HubID]bool
}

func newMemory(terr *linktest.Territory, self uint16) *memory {
	return &memory{
		terr: terr, self: self, told: func([]byte, territory.HubID) {},
		logs: make(map[uint16]map[uint32][]byte), at: make(map[string]time.Time),
		heard: make(map[territory.HubID]time.Time), lost: make(map[territory.HubID]time.Time), compared: make(map[territory.HubID]time.Time),
		undated: make(map[territory.HubID]time.Time), through: make(map[territory.HubID]bool),
	}
}

// write makes the next record of our own log.
func (m *memory) write(text string) []byte {
	m.mu.Lock()
	wire := binary.BigEndian.AppendUint16(nil, m.self)
	wire = binary.BigEndian.AppendUint32(wire, uint32(len(m.logs[m.self])+1))
	wire = append(wire, text...)
	wire = binary.BigEndian.AppendUint32(wire, crc32.ChecksumIEEE(wire))
	m.keep(wire)
	m.mu.Unlock()
	m.told(wire, territory.HubID{})
	return wire
}

func (m *memory) keep(wire []byte) bool {
	index, seq := binary.BigEndian.Uint16(wire), binary.BigEndian.Uint32(wire[2:])
	if m.logs[index] == nil {
		m.logs[index] = make(map[uint32][]byte)
	}
	if m.logs[index][seq] != nil {
		return false
	}
	m.logs[index][seq] = wire
	m.at[string(wire)] = time.Now()
	return true
}

func (m *memory) Roster() *territory.Roster { return m.terr.Roster() }

func (m *memory) Apply(_ context.Context, wires [][]byte, from territory.HubID) (node.Applied, error) {
	var done node.Applied
	var fresh [][]byte
	m.mu.Lock()
	m.applied++
	for _, wire := range wires {
		n := len(wire) - 4
		switch {
		case n < 6 || crc32.ChecksumIEEE(wire[:n]) != binary.BigEndian.Uint32(wire[n:]):
			done.Refused++
			m.refused++
		case m.keep(bytes.Clone(wire)):
			done.New++
			fresh = append(fresh, wire)
		default:
			done.Known++
		}
	}
	m.mu.Unlock()
	for _, wire := range fresh {
		m.told(wire, from)
	}
	return done, nil
}

func (m *memory) Vector(context.Context) (record.Vector, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := record.Vector{RosterVersion: m.terr.Roster().Version}
	rand.Read(v.Salt[:])
	for index, log := range m.logs {
		if seq := contiguous(log); seq > 0 {
			v.Entries = append(v.Entries, record.VectorEntry{Index: index, Seq: seq})
		}
	}
	slices.SortFunc(v.Entries, func(a, b record.VectorEntry) int { return int(a.Index) - int(b.Index) })
	return v, nil
}

func contiguous(log map[uint32][]byte) (seq uint32) {
	for log[seq+1] != nil {
		seq++
	}
	return seq
}

func (m *memory) Behind(_ context.Context, theirs record.Vector) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range theirs.Entries {
		if contiguous(m.logs[e.Index]) < e.Seq {
			return true, nil
		}
	}
	return false, nil
}

func (m *memory) PeerHeard(peer territory.HubID, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard[peer] = at
}

func (m *memory) PeerLost(peer territory.HubID, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lost[peer] = at
}

// knowsLost tells whether the peer is out of reach since it was last heard.
func (m *memory) knowsLost(peer territory.HubID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lost[peer].After(m.heard[peer])
}

func (m *memory) PeerCompared(peer territory.HubID, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compared[peer] = at
}

func (m *memory) PeerThrough(peer territory.HubID, through bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.through[peer] = through
}

func (m *memory) PeerDates(peer territory.HubID, hold bool, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !hold {
		m.undated[peer] = at
	}
}

// count is how many records are here.
func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.at)
}

func (m *memory) has(wire []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.at[string(wire)]
	return ok
}

// all returns every record, as exchange would hand them over.
func (m *memory) all() (wires [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for wire := range m.at {
		wires = append(wires, []byte(wire))
	}
	return wires
}

// hub is one running member of a territory under test.
type hub struct {
	linktest.Hub
	link *link.Link
	mem  *memory
	pool *gossip.Pool
	stop context.CancelFunc
	done chan struct{}
}

// world is a territory whose hubs pull from each other directly, as exchange
// would, when their gossip says they are behind.
type world struct {
	terr *linktest.Territory

	mu    sync.Mutex
	hubs  map[territory.HubID]*hub
	pulls int
}

func newWorld() *world {
	return &world{terr: linktest.NewTerritory(), hubs: make(map[territory.HubID]*hub)}
}

func (w *world) pull(into *hub, from territory.HubID) {
	w.mu.Lock()
	w.pulls++
	source := w.hubs[from]
	w.mu.Unlock()
	into.mem.Apply(context.Background(), source.mem.all(), from)
}

// add makes a hub, on the roster at its own address or at the one that front
// gives for it; none when that is empty.
func (w *world) add(tb testing.TB, o linktest.Options, front func(addr string) string) *hub {
	tb.Helper()
	h := &hub{Hub: linktest.NewHub(tb), done: make(chan struct{})}
	h.link = w.terr.Open(tb, h.Hub, o)
	addresses := []string{h.link.Addr().String()}
	if front != nil {
		addresses = slices.DeleteFunc([]string{front(addresses[0])}, func(a string) bool { return a == "" })
	}
	w.terr.Admit(tb, h.Hub, addresses...)
	h.mem = newMemory(w.terr, uint16(len(w.terr.Roster().Hubs)-1))
	h.pool = gossip.New(gossip.Options{
		Local: h.mem, Link: h.link, Logger: o.Logger,
		OnBehind: func(from territory.HubID) { go w.pull(h, from) },
	})
	h.mem.told = h.pool.Publish
	w.mu.Lock()
	w.hubs[h.ID] = h
	w.mu.Unlock()
	return h
}

// run starts hubs and ends them with the test.
func run(tb testing.TB, hubs ...*hub) {
	tb.Helper()
	for _, h := range hubs {
		linktest.Run(tb, h.link)
		ctx, cancel := context.WithCancel(context.Background())
		h.stop = cancel
		go func() {
			defer close(h.done)
			h.pool.Run(ctx)
		}()
	}
	tb.Cleanup(func() {
		for _, h := range hubs {
			h.stop()
		}
		for _, h := range hubs {
			<-h.done
		}
	})
}

// together waits until every hub counts every other as a member. They shake hands
// two by two.
func together(tb testing.TB, hubs ...*hub) {
	tb.Helper()
	limit := time.Duration(30+len(hubs)*len(hubs)/10) * time.Second
	linktest.Eventually(tb, limit, "every hub knows all members", func() bool {
		for _, h := range hubs {
			if len(h.pool.Members()) != len(hubs)-1 {
				return false
			}
		}
		return true
	})
}

// everywhere waits until every hub has the record.
func everywhere(tb testing.TB, wire []byte, hubs ...*hub) {
	tb.Helper()
	linktest.Eventually(tb, 20*time.Second, "every hub has the record", func() bool {
		for _, h := range hubs {
			if !h.mem.has(wire) {
				return false
			}
		}
		return true
	})
}
