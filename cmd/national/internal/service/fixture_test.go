package service_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/record"
	"relais/node/territory"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var start = time.UnixMilli(1_793_836_800_000).UTC()

// ground is a territory whose national service is made in a folder of its own.
type ground struct {
	dir      string
	database storetest.Database
	root     note.Signer
	rootKey  string
	keys     map[territory.HubID]*ecdsa.PrivateKey
	witness  map[territory.HubID]ed25519.PrivateKey
	roster   *territory.Roster
}

func newGround(t testing.TB, database storetest.Database, hubs int) *ground {
	t.Helper()
	g := &ground{
		dir: t.TempDir(), database: database, keys: map[territory.HubID]*ecdsa.PrivateKey{}, witness: map[territory.HubID]ed25519.PrivateKey{},
	}
	secret, public, err := note.GenerateKey(rand.Reader, "demo")
	check(t, err)
	g.root, err = note.NewSigner(secret)
	check(t, err)
	g.rootKey = public
	key, err := service.CreateIdentity(g.dir)
	check(t, err)
	witness, err := service.CreateWitness(g.dir)
	check(t, err)
	national, err := service.Entry(key, witness, 999, "national", "https://127.0.0.1:7444")
	check(t, err)
	g.keys[national.ID] = key
	g.roster = &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris",
		Version: 1, IssuedAt: start, ExpiresAt: start.AddDate(1, 0, 0), National: &national,
	}
	for i := range hubs {
		g.roster.Hubs = append(g.roster.Hubs, g.newHub(t, uint16(i)))
	}
	return g
}

func (g *ground) newHub(t testing.TB, index uint16) territory.Hub {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	check(t, err)
	public, witness, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	id := territory.HubIDOf(spki)
	g.keys[id], g.witness[id] = key, witness
	return territory.Hub{
		Index: index, ID: id, Name: fmt.Sprintf("hub %d", index), Identity: spki, Witness: public,
		Recipient: "age1test", Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	}
}

// hub is the identifier of the nth hub.
func (g *ground) hub(n int) territory.HubID { return g.roster.Hubs[n].ID }

// next signs the roster, or the next version of it when edit is not nil.
func (g *ground) next(t testing.TB, edit func(*territory.Roster)) []byte {
	t.Helper()
	r := *g.roster
	r.Hubs = slices.Clone(r.Hubs)
	if edit != nil {
		r.Version++
		edit(&r)
	}
	signed, err := r.Sign(g.root)
	check(t, err)
	g.roster = &r
	return signed
}

// open installs the roster and opens the service on a free port, not yet running.
func (g *ground) open(t testing.TB, limits service.Limits) *service.Service {
	t.Helper()
	return g.openLimited(t, g.next(t, nil), limits)
}

// openWith installs a roster and opens the service.
func (g *ground) openWith(t testing.TB, signed []byte) *service.Service {
	t.Helper()
	return g.openLimited(t, signed, service.Limits{})
}

func (g *ground) openLimited(t testing.TB, signed []byte, limits service.Limits) *service.Service {
	t.Helper()
	db, err := store.Open(t.Context(), g.database.At)
	check(t, err)
	check(t, db.InstallRoster(t.Context(), store.Territory{
		Code: g.roster.Territory, RootKey: g.rootKey, Version: g.roster.Version, Note: signed,
	}, start))
	check(t, db.Close())
	key, err := service.LoadIdentity(g.dir)
	check(t, err)
	witness, err := service.LoadWitness(g.dir)
	check(t, err)
	s, err := service.Open(t.Context(), service.Options{Database: g.database.At, Listen: "127.0.0.1:0", Identity: key, Witness: witness, Limits: limits})
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// run is open with the service running until the test ends.
func (g *ground) run(t testing.TB, limits service.Limits) *service.Service {
	t.Helper()
	s := g.open(t, limits)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

// pen writes the log of one hub.
type pen struct {
	g    *ground
	hub  territory.HubID
	code territory.Code
	seq  uint32
	prev record.Hash
	salt byte // tells two histories apart
}

func (g *ground) pen(hub territory.HubID) *pen { return &pen{g: g, hub: hub, code: g.roster.Territory} }

// write signs the next n records: every fourth a revocation, every tenth of a
// kind that this version does not know.
func (p *pen) write(t testing.TB, n int) [][]byte {
	t.Helper()
	wires := make([][]byte, n)
	for i := range wires {
		p.seq++
		r := record.Record{
			Territory: p.code, Place: record.Place{LogID: record.LogID{Hub: p.hub, Incarnation: 1}, Seq: p.seq},
			Prev: [16]byte(p.prev[:16]), Time: start,
		}
		mandate := record.MandateID{p.salt, byte(p.seq >> 8), byte(p.seq)}
		switch {
		case p.seq%10 == 0:
			r.Kind, r.Body = 77, &record.Unknown{Version: 1, Of: 77, Raw: []byte{0x80}}
		case p.seq%4 == 0:
			r.Kind = record.KindRevocation
			r.Body = &record.Revocation{Mandate: mandate, Reason: record.ReasonPerson, Channel: record.ChannelDesk, Claimed: start}
		default:
			r.Kind = record.KindNotice
			r.Body = &record.Notice{Mandate: mandate, Structure: territory.StructureID{1}, Lines: 2, Start: start, End: start.Add(time.Hour), Regime: record.Local}
		}
		payload, err := r.Encode()
		check(t, err)
		signature, err := record.Sign(p.g.keys[p.hub], p.code, p.hub, payload)
		check(t, err)
		p.prev = record.ChainHash(p.hub, payload)
		wires[i] = record.Assemble(p.hub, payload, signature)
	}
	return wires
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
