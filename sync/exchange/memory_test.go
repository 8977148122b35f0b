package exchange_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// memory is a node in memory: logs of records that are index ‖ seq ‖ text ‖
// checksum, dossiers by mandate, and a roster whose note is its version.
type memory struct {
	mu       sync.Mutex
	roster   territory.Roster
	logs     map[uint16][][]byte
	stubborn bool // refuses every record
	dossiers map[record.MandateID][]byte
	serving  map[territory.HubID]bool // who may have dossiers
	wanted   []node.WantedDossier
	compared map[territory.HubID]time.Time
	applies  int
	failing  error // of Vector

	forgets map[territory.HubID][]record.MandateID // awaited
	liar    []record.MandateID                     // what TakeForget says, whatever it is asked
}

func newMemory(version uint32) *memory {
	return &memory{
		roster: territory.Roster{Version: version}, logs: make(map[uint16][][]byte),
		dossiers: make(map[record.MandateID][]byte), serving: make(map[territory.HubID]bool),
		compared: make(map[territory.HubID]time.Time),
	}
}

// write appends n records of this many octets to a log.
func (m *memory) write(index uint16, n, octets int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		wire := binary.BigEndian.AppendUint16(nil, index)
		wire = binary.BigEndian.AppendUint32(wire, uint32(len(m.logs[index])+1))
		wire = append(wire, bytes.Repeat([]byte("r"), octets-10)...)
		m.logs[index] = append(m.logs[index], binary.BigEndian.AppendUint32(wire, crc32.ChecksumIEEE(wire)))
	}
}

func (m *memory) count() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, log := range m.logs {
		n += len(log)
	}
	return n
}

func (m *memory) Roster() *territory.Roster {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.roster
	return &r
}

func (m *memory) RosterNote() []byte {
	return binary.BigEndian.AppendUint32(nil, m.Roster().Version)
}

func (m *memory) RosterTurns(context.Context, uint32) ([][]byte, error) { return nil, nil }

func (m *memory) InstallRoster(_ context.Context, note []byte) error {
	if len(note) != 4 {
		return errors.New("forged roster")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.roster.Version = binary.BigEndian.Uint32(note)
	return nil
}

func (m *memory) Vector(context.Context) (record.Vector, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing != nil {
		return record.Vector{}, m.failing
	}
	v := record.Vector{RosterVersion: m.roster.Version}
	rand.Read(v.Salt[:])
	for index, log := range m.logs {
		v.Entries = append(v.Entries, record.VectorEntry{Index: index, Seq: uint32(len(log))})
	}
	slices.SortFunc(v.Entries, func(a, b record.VectorEntry) int { return int(a.Index) - int(b.Index) })
	return v, nil
}

func (m *memory) Missing(_ context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	size := 0
	for index, log := range m.logs {
		e, _ := theirs.Find(index, 0)
		for _, wire := range log[min(int(e.Seq), len(log)):] {
			if size += len(wire); size > maxOctets {
				return page, true, nil
			}
			page = append(page, wire)
		}
	}
	return page, false, nil
}

func (m *memory) Apply(_ context.Context, wires [][]byte, _ territory.HubID) (node.Applied, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applies++
	var done node.Applied
	for _, wire := range wires {
		n := len(wire) - 4
		if n < 6 || m.stubborn || crc32.ChecksumIEEE(wire[:n]) != binary.BigEndian.Uint32(wire[n:]) {
			done.Refused++
			continue
		}
		index, seq := binary.BigEndian.Uint16(wire), int(binary.BigEndian.Uint32(wire[2:]))
		switch have := len(m.logs[index]); {
		case seq <= have:
			done.Known++
		case seq == have+1:
			m.logs[index] = append(m.logs[index], bytes.Clone(wire))
			done.New++
		default:
			return done, errors.New("a page out of order")
		}
	}
	return done, nil
}

func (m *memory) WantedDossiers(_ context.Context, limit int) ([]node.WantedDossier, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var wanted []node.WantedDossier
	for _, w := range m.wanted {
		if m.dossiers[w.Mandate] == nil && len(wanted) < limit {
			wanted = append(wanted, w)
		}
	}
	return wanted, nil
}

func (m *memory) Dossier(_ context.Context, id record.MandateID, asker territory.HubID) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch sealed := m.dossiers[id]; {
	case !m.serving[asker]:
		return nil, fault.Errorf(fault.Forbidden, "non", "%s does not serve the structure", asker)
	case sealed == nil:
		return nil, fault.Errorf(fault.NotFound, "non", "no dossier %s", id)
	default:
		return sealed, nil
	}
}

func (m *memory) PutDossier(_ context.Context, id record.MandateID, sealed []byte) error {
	if !bytes.HasPrefix(sealed, []byte("sealed")) {
		return errors.New("the dossier does not match its notice")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dossiers[id] = sealed
	return nil
}

func (m *memory) AwaitedForgets(context.Context) (awaited []node.AwaitedForget, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for hub, ids := range m.forgets {
		if len(ids) > 0 {
			awaited = append(awaited, node.AwaitedForget{Hub: hub, Mandates: slices.Clone(ids)})
		}
	}
	return awaited, nil
}

func (m *memory) TakeForget(_ context.Context, ids []record.MandateID, from territory.HubID) (done []record.MandateID, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.liar != nil {
		return m.liar, nil
	}
	if !m.serving[from] {
		return nil, fault.Errorf(fault.Forbidden, "non", "%s did not make it", from)
	}
	for _, id := range ids {
		if m.dossiers[id] != nil {
			delete(m.dossiers, id)
			done = append(done, id)
		}
	}
	return done, nil
}

func (m *memory) ForgetConfirmed(_ context.Context, hub territory.HubID, ids []record.MandateID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgets[hub] = slices.DeleteFunc(m.forgets[hub], func(id record.MandateID) bool { return slices.Contains(ids, id) })
	return nil
}

func (m *memory) PeerCompared(peer territory.HubID, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compared[peer] = at
}

// hub is one running end.
type hub struct {
	linktest.Hub
	mem    *memory
	link   *link.Link
	client *exchange.Client
	asked  atomic.Int64 // requests it answered
}

// start makes a hub that serves its memory and can pull into it.
func start(t *testing.T, terr *linktest.Territory, mem *memory) *hub {
	t.Helper()
	h := &hub{Hub: linktest.NewHub(t), mem: mem}
	serve := exchange.NewHandler(exchange.HandlerOptions{Records: mem, Rosters: mem, Dossiers: mem})
	h.link = terr.Open(t, h.Hub, linktest.Options{HTTP: counted(&h.asked, serve)})
	terr.Admit(t, h.Hub, h.link.Addr().String())
	linktest.Run(t, h.link)
	h.client = exchange.NewClient(mem, h.link.HTTPClient(), nil)
	return h
}
