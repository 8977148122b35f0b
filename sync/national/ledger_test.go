package national_test

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node"
	"relais/node/journal"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
)

var start = time.UnixMilli(1_793_836_800_000).UTC()

// ground is a territory: its root, its members and their keys.
type ground struct {
	root    note.Signer
	rootKey string
	keys    map[territory.HubID]*ecdsa.PrivateKey
	roster  *territory.Roster
}

// newGround makes a territory of hubs "hub 0", "hub 1"… and a national service.
func newGround(t testing.TB, hubs int) *ground {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "demo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	g := &ground{root: root, rootKey: public, keys: map[territory.HubID]*ecdsa.PrivateKey{}}
	g.roster = &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris",
		Version: 1, IssuedAt: start, ExpiresAt: start.AddDate(1, 0, 0),
	}
	for i := range hubs {
		id, spki := g.newKey(t)
		g.roster.Hubs = append(g.roster.Hubs, territory.Hub{
			Index: uint16(i), ID: id, Name: fmt.Sprintf("hub %d", i), Identity: spki,
			Witness: make([]byte, 32), Recipient: "age1test", Assurance: territory.AssuranceSoftware, State: territory.HubActive,
		})
	}
	id, spki := g.newKey(t)
	g.roster.National = &territory.National{Index: 999, ID: id, Name: "national", Identity: spki, URL: "https://127.0.0.1:1"}
	return g
}

func (g *ground) newKey(t testing.TB) (territory.HubID, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	id := territory.HubIDOf(spki)
	g.keys[id] = key
	return id, spki
}

// next signs the next roster, changed by edit.
func (g *ground) next(t testing.TB, edit func(*territory.Roster)) (*territory.Roster, []byte) {
	t.Helper()
	r := *g.roster
	r.Hubs = slices.Clone(r.Hubs)
	if edit != nil {
		r.Version++
		edit(&r)
	}
	signed, err := r.Sign(g.root)
	if err != nil {
		t.Fatal(err)
	}
	g.roster = &r
	return &r, signed
}

// write signs n records in the log of a hub: every fourth a revocation.
func (g *ground) write(t testing.TB, hub territory.HubID, n int) [][]byte {
	t.Helper()
	var wires [][]byte
	var prev record.Hash
	for i := range n {
		r := record.Record{
			Territory: g.roster.Territory,
			Place:     record.Place{LogID: record.LogID{Hub: hub, Incarnation: 1}, Seq: uint32(i + 1)},
			Prev:      [16]byte(prev[:16]), Time: start, Kind: record.KindNotice,
			Body: &record.Notice{
				Mandate: record.MandateID{1, byte(i >> 8), byte(i)}, Structure: territory.StructureID{1},
				Lines: 2, Start: start, End: start.Add(31 * 24 * time.Hour), Regime: record.Local,
			},
		}
		if i%4 == 3 {
			r.Kind = record.KindRevocation
			r.Body = &record.Revocation{Mandate: record.MandateID{1, byte(i >> 8), byte(i - 1)}, Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: start}
		}
		payload, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		signature, err := record.Sign(g.keys[hub], r.Territory, hub, payload)
		if err != nil {
			t.Fatal(err)
		}
		prev = record.ChainHash(hub, payload)
		wires = append(wires, record.Assemble(hub, payload, signature))
	}
	return wires
}

// ledger keeps records in memory, as a hub and as the service: what a pass is
// tested against without either. It holds nothing out of order.
type ledger struct {
	self territory.HubID
	g    *ground

	mu        sync.Mutex // guards what follows
	roster    *territory.Roster
	note      []byte
	logs      map[record.LogID][]*record.Envelope
	journal   int64  // entries
	cosigned  int64  // of them
	lines     string // what was said of them
	refusedAt int64  // what the service said it saw, when it refused

	list      node.NationalList
	listed    map[[16]byte]node.DirectoryEntry
	asides    map[[16]byte]string // by key, why
	listBegun int

	compared int
	refused  int
	down     error // what Apply fails with
}

func newLedger(t testing.TB, g *ground, self territory.HubID) *ledger {
	l := &ledger{self: self, g: g, logs: map[record.LogID][]*record.Envelope{}}
	l.roster, l.note = g.next(t, nil)
	return l
}

func (l *ledger) Roster() *territory.Roster { l.mu.Lock(); defer l.mu.Unlock(); return l.roster }
func (l *ledger) RosterNote() []byte        { l.mu.Lock(); defer l.mu.Unlock(); return l.note }

func (l *ledger) RosterTurns(context.Context, uint32) ([][]byte, error) { return nil, nil }

func (l *ledger) InstallRoster(_ context.Context, signed []byte) error {
	r, err := territory.OpenRoster(signed, l.g.rootKey)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.roster, l.note = r, signed
	return nil
}

func (l *ledger) Vector(context.Context) (record.Vector, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := record.Vector{RosterVersion: l.roster.Version}
	rand.Read(v.Salt[:])
	for id, log := range l.logs {
		author, known := l.roster.Author(id.Hub)
		if !known || len(log) == 0 {
			continue
		}
		last := log[len(log)-1]
		v.Entries = append(v.Entries, record.VectorEntry{
			Index: author.Index, Incarnation: id.Incarnation, Seq: last.Seq, Head: record.Salted(v.Salt, last.Hash),
		})
	}
	slices.SortFunc(v.Entries, func(a, b record.VectorEntry) int { return cmp.Compare(a.Index, b.Index) })
	return v, nil
}

func (l *ledger) Missing(_ context.Context, theirs record.Vector, maxOctets int) (page [][]byte, more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, log := range l.logs {
		author, _ := l.roster.Author(id.Hub)
		at, _ := theirs.Find(author.Index, id.Incarnation)
		for _, e := range log[min(int(at.Seq), len(log)):] {
			wire := e.Wire()
			if maxOctets -= len(wire); maxOctets < 0 {
				return page, true, nil
			}
			page = append(page, wire)
		}
	}
	return page, false, nil
}

func (l *ledger) Behind(_ context.Context, theirs record.Vector) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range theirs.Entries {
		author, known := l.roster.AuthorAt(e.Index)
		if known && int(e.Seq) > len(l.logs[record.LogID{Hub: author.ID, Incarnation: e.Incarnation}]) {
			return true, nil
		}
	}
	return false, nil
}

func (l *ledger) Apply(_ context.Context, wires [][]byte, _ territory.HubID) (node.Applied, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var done node.Applied
	for _, wire := range wires {
		if l.down != nil {
			return node.Applied{}, l.down
		}
		e, err := record.Parse(wire)
		if err != nil {
			done.Refused++
			continue
		}
		author, _ := l.roster.Author(e.Hub)
		if e.Verify(author.Key) != nil || int(e.Seq) > len(l.logs[e.LogID])+1 {
			done.Refused++
			continue
		}
		if int(e.Seq) <= len(l.logs[e.LogID]) {
			done.Known++
			continue
		}
		l.logs[e.LogID] = append(l.logs[e.LogID], e)
		done.New++
	}
	l.refused += done.Refused
	return done, nil
}

func (l *ledger) RecordCounts(context.Context) (node.RecordCounts, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var c node.RecordCounts
	for log := range maps.Values(l.logs) {
		for _, e := range log {
			c.Records++
			switch e.Kind {
			case record.KindNotice:
				c.Notices++
			case record.KindRevocation:
				c.Revocations++
			}
		}
	}
	return c, nil
}

func (l *ledger) Freshness(context.Context) (node.Freshness, error) {
	return node.Freshness{National: start.Add(-time.Hour)}, nil
}

func (l *ledger) PeerCompared(territory.HubID, time.Time) { l.mu.Lock(); l.compared++; l.mu.Unlock() }

func (l *ledger) WantedDossiers(context.Context, int) ([]node.WantedDossier, error) {
	panic("a national pass moves no dossier")
}

func (l *ledger) Dossier(context.Context, record.MandateID, territory.HubID) ([]byte, error) {
	panic("a national pass moves no dossier")
}

func (l *ledger) PutDossier(context.Context, record.MandateID, []byte) error {
	panic("a national pass moves no dossier")
}

func (l *ledger) AwaitedForgets(context.Context) ([]node.AwaitedForget, error) {
	panic("a national pass forgets nobody")
}

func (l *ledger) TakeForget(context.Context, []record.MandateID, territory.HubID) ([]record.MandateID, error) {
	panic("a national pass forgets nobody")
}

func (l *ledger) ForgetConfirmed(context.Context, territory.HubID, []record.MandateID) error {
	panic("a national pass forgets nobody")
}

// trust stores records as they are, verified or not.
func (l *ledger) trust(t testing.TB, wires ...[]byte) {
	t.Helper()
	for _, wire := range wires {
		e, err := record.Parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		l.logs[e.LogID] = append(l.logs[e.LogID], e)
	}
}

func (l *ledger) exchange() http.Handler {
	return exchange.NewHandler(exchange.HandlerOptions{Records: l, Rosters: l})
}

// Submission is of a journal that a test sets: what is beyond held is due.
func (l *ledger) Submission(_ context.Context, held int64) (s journal.Submission, due bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Checkpoint = fmt.Appendf(nil, "demo\n%d\nAAAA\n\n— x y\n", l.journal)
	if held <= l.journal {
		s.Old = held
	}
	return s, l.journal != held || l.cosigned != l.journal, nil
}

func (l *ledger) KeepCosignature(_ context.Context, _ []byte, lines string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lines == "" {
		return journal.ErrNotCosigned
	}
	l.cosigned, l.lines = l.journal, lines
	return nil
}

func (l *ledger) CheckpointRefused(_ context.Context, held int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusedAt = held
	return nil
}

func (l *ledger) NationalList(context.Context) (node.NationalList, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list.Here, l.list.Aside = len(l.listed), len(l.asides)
	return l.list, nil
}

func (l *ledger) BeginNationalList(context.Context) (node.NationalList, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listBegun++
	l.list = node.NationalList{Began: start}
	l.listed, l.asides = map[[16]byte]node.DirectoryEntry{}, map[[16]byte]string{}
	return l.list, nil
}

func (l *ledger) TakeNationalPage(_ context.Context, p node.NationalPage) (c node.DirectoryChange, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.After != l.list.Cursor {
		return c, fmt.Errorf("a page after %q, and %q was taken", p.After, l.list.Cursor)
	}
	for _, e := range p.Entries {
		if _, known := l.listed[e.ID]; !known {
			c.Created++
		}
		l.listed[e.ID] = e
		delete(l.asides, e.ID)
	}
	for _, id := range p.Gone {
		delete(l.listed, id)
		c.Gone++
	}
	for _, a := range p.Aside {
		l.asides[a.Key] = a.Reason
	}
	l.list.Cursor, l.list.Whole, c.Aside = p.Next, p.Last, len(l.asides)
	return c, nil
}
