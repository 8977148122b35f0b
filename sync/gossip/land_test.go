package gossip_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/nodetest"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/gossip"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

func TestMain(m *testing.M) {
	recoverywork.MemoryKiB = recoverywork.LightKiB
	nodetest.CheapPassphrases()
	nodetest.FoldersInMemory(m)
}

// land is a territory of real nodes, each with its folder, its keys, its link,
// its gossip and its exchange, wired as cmd/relais wires them.
type land struct {
	root    note.Signer
	rootKey string
	roster  *territory.Roster
	office  territory.StructureID
	hubs    []*site
	pen     *pen
	network func() link.Network // of each hub; nil: TCP
}

// site is one hub.
type site struct {
	*node.Node
	dir  string
	link *link.Link
	pool *gossip.Pool
	pull *exchange.Puller
	stop func() // ends its goroutines and waits; once

	made chan []byte // records made here, once signed

	mu sync.Mutex
	at map[string]time.Time // when each record was new here
}

func newLand(tb testing.TB) *land {
	tb.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "test")
	check(tb, err)
	root, err := note.NewSigner(secret)
	check(tb, err)
	now := time.Now().UTC().Truncate(time.Second)
	l := &land{root: root, rootKey: public, pen: newPen(tb), roster: &territory.Roster{
		Territory: "test", Name: "Territoire d’essai", Zone: "Europe/Paris",
		IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0),
	}}
	rand.Read(l.office[:])
	l.roster.Structures = []territory.Structure{{
		ID: l.office, Name: "France Services", State: territory.StructureOpen,
		Scopes: []string{"argent", "social"}, Serving: []territory.HubID{l.pen.hub},
	}}
	return l
}

// add makes a hub. front, when not nil, gives the address that the others call
// for the one it listens on; none when it is empty.
func (l *land) add(tb testing.TB, serving bool, proxy *url.URL, front func(string) string) *site {
	tb.Helper()
	dir := tb.TempDir()
	keys, _, err := keyring.Create(dir, soft.New(dir))
	check(tb, err)
	o := node.Options{Dir: dir, Sealer: keys, Signer: keys.Identity(), Logger: slog.New(slog.DiscardHandler)}
	public, err := node.Create(context.Background(), o, node.Birth{Territory: "test", RootKey: l.rootKey, Name: "hub"})
	check(tb, err)
	n, err := node.Open(context.Background(), o)
	check(tb, err)
	s := &site{Node: n, dir: dir, at: make(map[string]time.Time), made: make(chan []byte, 64)}
	var network link.Network
	if l.network != nil {
		network = l.network()
	}
	s.link, err = link.New(link.Options{
		Network: network, Self: public.Hub, Identity: keys.Identity(), Roster: n.Roster, Listen: "127.0.0.1:0", Proxy: proxy,
		HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: n, Rosters: n, Dossiers: n}),
	})
	check(tb, err)
	s.pull = exchange.NewPuller(exchange.NewClient(n, s.link.HTTPClient(), nil), nil)
	s.pool = gossip.New(gossip.Options{Local: n, Link: s.link, OnBehind: s.pull.Want})
	n.OnRecord(func(wire []byte, from territory.HubID) {
		s.note(wire, from)
		s.pool.Publish(wire, from)
		s.pull.WantDossiers()
	})
	n.OnForget(s.pull.WantForgets)
	n.OnRoster(func(*territory.Roster) { s.link.Refresh() })
	s.stop = sync.OnceFunc(func() {}) // until it runs
	tb.Cleanup(func() {
		s.stop()
		s.link.Close()
		n.Close()
		keys.Close()
	})
	addresses := []string{s.link.Addr().String()}
	if front != nil {
		addresses = slices.DeleteFunc([]string{front(addresses[0])}, func(a string) bool { return a == "" })
	}
	l.roster.Hubs = append(l.roster.Hubs, territory.Hub{
		Index: uint16(len(l.roster.Hubs) + 1), ID: public.Hub, Name: "hub", Identity: public.Identity,
		Witness: public.Witness, Recipient: public.Recipient, Addresses: addresses,
		Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	})
	if serving {
		l.roster.Structures[0].Serving = append(l.roster.Structures[0].Serving, public.Hub)
	}
	l.hubs = append(l.hubs, s)
	return s
}

func (s *site) note(wire []byte, from territory.HubID) {
	s.mu.Lock()
	s.at[string(wire)] = time.Now()
	s.mu.Unlock()
	if from.IsZero() {
		s.made <- wire
	}
}

func (s *site) arrived(wire []byte) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[string(wire)]
	return at, ok
}

// sign signs the next roster.
func (l *land) sign(tb testing.TB) []byte {
	tb.Helper()
	l.roster.Version++
	signed, err := l.roster.Sign(l.root)
	check(tb, err)
	return signed
}

// enrol gives every hub the roster, with the silent pen on it.
func (l *land) enrol(tb testing.TB) {
	tb.Helper()
	if l.pen != nil {
		l.roster.Hubs = append(l.roster.Hubs, l.pen.entry(l.roster.Hubs[0]))
	}
	signed := l.sign(tb)
	for _, s := range l.hubs {
		check(tb, s.InstallRoster(context.Background(), signed))
	}
}

// start enrols every hub and runs them.
func (l *land) start(tb testing.TB) {
	tb.Helper()
	l.enrol(tb)
	for _, s := range l.hubs {
		s.run()
	}
}

// run runs the hub's goroutines; the link outlives the pool.
func (s *site) run() {
	ctx, cancel := context.WithCancel(context.Background())
	var work, linked sync.WaitGroup
	linked.Go(func() { s.link.Run(context.WithoutCancel(ctx)) })
	work.Go(func() { s.Node.Run(ctx) })
	work.Go(func() { s.pull.Run(ctx) })
	work.Go(func() { s.pool.Run(ctx) })
	s.stop = sync.OnceFunc(func() {
		cancel()
		work.Wait()
		s.link.Close()
		linked.Wait()
	})
}

// stop ends all hubs at the same time.
func (l *land) stop() {
	var all sync.WaitGroup
	for _, s := range l.hubs {
		all.Go(s.stop)
	}
	all.Wait()
}

// met waits until every hub counts every other as a member.
func (l *land) met(tb testing.TB) {
	tb.Helper()
	linktest.Eventually(tb, 60*time.Second, "every hub knows all members", func() bool {
		for _, s := range l.hubs {
			if len(s.pool.Members()) != len(l.hubs)-1 {
				return false
			}
		}
		return true
	})
}

// connected waits until a session stands between any two hubs.
func (l *land) connected(tb testing.TB) {
	tb.Helper()
	linktest.Eventually(tb, 60*time.Second, "every hub is connected to every other", func() bool {
		for _, a := range l.hubs {
			for _, b := range l.hubs {
				if a != b && !a.link.Peer(b.Self()).Connected {
					return false
				}
			}
		}
		return true
	})
}

// pen writes the log of a hub that never runs: what it wrote came before.
type pen struct {
	key  *ecdsa.PrivateKey
	spki []byte
	hub  territory.HubID
	seq  uint32
	prev record.Hash
}

func newPen(tb testing.TB) *pen {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(tb, err)
	spki := linktest.SPKI(tb, key)
	return &pen{key: key, spki: spki, hub: territory.HubIDOf(spki)}
}

// entry is the pen's place on a roster; like stands in for what it lacks.
func (p *pen) entry(like territory.Hub) territory.Hub {
	return territory.Hub{
		Index: 1000, ID: p.hub, Name: "endormi", Identity: p.spki, Witness: make([]byte, 32),
		Recipient: like.Recipient, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	}
}

// notice states a mandate of the structure that the code stops.
func (p *pen) notice(tb testing.TB, office territory.StructureID, code record.StopCode) []byte {
	tb.Helper()
	p.seq++
	now := time.Now().UTC().Truncate(time.Millisecond)
	var m record.MandateID
	rand.Read(m[:])
	r := record.Record{
		Territory: "test", Place: record.Place{LogID: record.LogID{Hub: p.hub, Incarnation: 1}, Seq: p.seq},
		Prev: [16]byte(p.prev[:16]), Time: now, Kind: record.KindNotice,
		Body: &record.Notice{
			Mandate: m, Structure: office, Lines: 2, Regime: record.Local,
			Start: now, End: now.Add(31 * 24 * time.Hour), Stop: code.Commitment("test"),
		},
	}
	payload, err := r.Encode()
	check(tb, err)
	signature, err := record.Sign(p.key, "test", p.hub, payload)
	check(tb, err)
	p.prev = record.ChainHash(p.hub, payload)
	return record.Assemble(p.hub, payload, signature)
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
