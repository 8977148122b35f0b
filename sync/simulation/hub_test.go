package simulation_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/x509"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/id"
	"relais/node/mandate"
	"relais/node/nodetest"
	"relais/node/people"
	"relais/node/record"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/gossip"
	"relais/sync/link"
)

func init() {
	recoverywork.MemoryKiB = recoverywork.LightKiB
	nodetest.CheapPassphrases()
}

const (
	hubs      = 5
	code      = territory.Code("essai")
	helperKey = "aidante"
)

// era is how far the clocks of the hubs are ahead of a bubble's, which begins in
// 2000: no mandate is that old.
var era = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))

// clock is the time that a hub shows whose clock is right.
func clock() time.Time { return time.Now().Add(era) }

// born is when the folders were made, half a day before.
func born() time.Time { return time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC) }

// templates are the folders that every territory begins with. Their keys are
// opened once; a hub of a territory has a copy of the folder.
type templates struct {
	dir     string
	root    note.Signer
	rootKey string
	helper  people.HelperID
	offices [2]territory.StructureID // the first is served by hubs 0 to 2, the other by the rest
	hubs    [hubs]template
}

type template struct {
	dir    string
	keys   *keyring.Keyring
	public node.PublicKeys
	seed   people.Seed       // of the helper's codes
	spare  *ecdsa.PrivateKey // who the hub is after a restore
}

// shared are the templates, made by the first territory and removed by TestMain.
var shared = sync.OnceValues(makeTemplates)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // little stays of a territory, and much passes
	status := m.Run()
	if made, err := shared(); err == nil {
		os.RemoveAll(made.dir)
	}
	os.Exit(status)
}

func makeTemplates() (*templates, error) {
	memory := "/dev/shm" // a folder is not kept, and syncs are many
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	dir, err := os.MkdirTemp(memory, "relais-simulation-")
	if err != nil {
		return nil, err
	}
	all := &templates{dir: dir, helper: id.Random[people.HelperID]()}
	secret, public, err := note.GenerateKey(cryptorand.Reader, string(code))
	if err != nil {
		return nil, err
	}
	all.rootKey = public
	if all.root, err = note.NewSigner(secret); err != nil {
		return nil, err
	}
	for i := range all.offices {
		all.offices[i] = id.Random[territory.StructureID]()
	}
	for i := range all.hubs {
		if all.hubs[i], err = all.make(i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (all *templates) officeOf(hub int) territory.StructureID {
	if hub < 3 {
		return all.offices[0]
	}
	return all.offices[1]
}

func (all *templates) make(i int) (t template, err error) {
	t.dir = filepath.Join(all.dir, fmt.Sprintf("template-%d", i))
	rings := filepath.Join(all.dir, fmt.Sprintf("keys-%d", i))
	for _, dir := range []string{t.dir, rings} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return t, err
		}
	}
	if t.keys, _, err = keyring.Create(rings, soft.New(rings)); err != nil {
		return t, err
	}
	if t.spare, err = ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader); err != nil {
		return t, err
	}
	o := node.Options{Dir: t.dir, Sealer: t.keys, Signer: t.keys.Identity(), Now: born}
	ctx := context.Background()
	if t.public, err = node.Create(ctx, o, node.Birth{Territory: code, RootKey: all.rootKey, Name: siteName(i)}); err != nil {
		return t, err
	}
	n, err := node.Open(ctx, o)
	if err != nil {
		return t, err
	}
	defer n.Close()
	enrolled, err := n.EnrolHelper(ctx, nil, node.NewHelper{
		ID: all.helper, Login: helperKey, Name: people.Name{Given: "Camille", Family: "Exemple"}, Structure: all.officeOf(i),
	})
	if err != nil {
		return t, err
	}
	t.seed, err = people.ParseURI(enrolled.TOTP)
	return t, err
}

func siteName(i int) string { return fmt.Sprintf("site %d", i) }

// hub is one machine of a territory. Between stop and start it sleeps.
type hub struct {
	world    *world
	index    int // of its template
	template *template
	host     string
	dir      string
	signer   crypto.Signer
	skew     atomic.Int64 // of its clock, nanoseconds

	backup territory.HubID   // whose folder was copied; zero: nobody's
	copied bool              // it was cloned, or is the clone
	twin   bool              // it is the clone
	gone   bool              // it never wakes again
	seen   map[question]bool // what it said is stopped

	*node.Node // nil while it sleeps
	link       *link.Link
	rows       *sql.DB // what it stores, read beside it
	end        func()
}

func (h *hub) awake() bool { return h.Node != nil }

func (h *hub) address() string { return h.host + ":7443" }

// now is the hub's own clock.
func (h *hub) now() time.Time { return clock().Add(time.Duration(h.skew.Load())) }

func (h *hub) options() node.Options {
	return node.Options{Dir: h.dir, Sealer: h.template.keys, Signer: h.signer, Now: h.now}
}

// self is the hub's name today.
func (h *hub) self() territory.HubID {
	return territory.HubIDOf(spkiOf(h.signer))
}

// spkiOf is a public key as the roster has it.
func spkiOf(key crypto.Signer) []byte {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	return spki
}

// start opens the folder and runs the hub, wired as cmd/relais wires it.
func (h *hub) start(t *testing.T) {
	t.Helper()
	n, err := node.Open(t.Context(), h.options())
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var work, linked sync.WaitGroup
	local := local{n, h.world}
	late := &late{local: local, ctx: ctx, work: &work, draw: rand.New(rand.NewPCG(h.world.draw.Uint64(), 0))}
	l, err := link.New(link.Options{
		Self: n.Self(), Identity: h.signer, Roster: n.Roster, Listen: h.address(), Network: host{h.world.fabric, h.host}, Now: h.now,
		HTTP: h.dated(exchange.NewHandler(exchange.HandlerOptions{Records: local, Rosters: local, Dossiers: local})),
	})
	check(t, err)
	pull := exchange.NewPuller(exchange.NewClient(local, l.HTTPClient(), h.now), nil)
	pool := gossip.New(gossip.Options{Local: late, Link: l, OnBehind: pull.Want, Now: h.now})
	n.OnRecord(func(wire []byte, from territory.HubID) {
		pool.Publish(wire, from)
		pull.WantDossiers()
	})
	n.OnForget(pull.WantForgets)
	n.OnRoster(func(*territory.Roster) { l.Refresh() })
	rows, err := sql.Open("sqlite3", "file:"+filepath.Join(h.dir, "relais.db")+"?_busy_timeout=5000")
	check(t, err)

	linked.Go(func() { l.Run(context.WithoutCancel(ctx)) })
	work.Go(func() { n.Run(ctx) })
	work.Go(func() { pull.Run(ctx) })
	work.Go(func() { pool.Run(ctx) })
	h.Node, h.link, h.rows = n, l, rows
	h.end = func() {
		cancel()
		work.Wait()
		l.Close()
		linked.Wait()
		rows.Close()
		check(t, n.Close())
		h.Node, h.link, h.rows = nil, nil, nil
	}
}

// dated gives answers the date of the hub's clock, which net/http does not know.
func (h *hub) dated(answer http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", h.now().UTC().Format(http.TimeFormat))
		answer.ServeHTTP(w, r)
	})
}

// local is the node as the others see it through the simulation, which may have
// a bug planted.
type local struct {
	*node.Node
	world *world
}

// Apply implements gossip.Local and exchange.Records.
func (l local) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error) {
	if l.world.planted != swallowStops {
		return l.Node.Apply(ctx, wires, from)
	}
	kept := slices.DeleteFunc(slices.Clone(wires), func(wire []byte) bool {
		e, err := record.Parse(wire)
		return err == nil && e.Kind == record.KindRevocation
	})
	applied, err := l.Node.Apply(ctx, kept, from)
	applied.Known += len(wires) - len(kept)
	return applied, err
}

// TakeForget implements exchange.Dossiers.
func (l local) TakeForget(ctx context.Context, ids []mandate.ID, from territory.HubID) ([]mandate.ID, error) {
	if l.world.planted == confirmOnly {
		return ids, nil
	}
	return l.Node.TakeForget(ctx, ids, from)
}

// InstallRoster implements exchange.Rosters.
func (l local) InstallRoster(ctx context.Context, note []byte) error {
	if l.world.planted == deafToRosters {
		return nil
	}
	return l.Node.InstallRoster(ctx, note)
}

// PeerClock implements what exchange asks of a hub that compares clocks.
func (l local) PeerClock(peer territory.HubID, ahead time.Duration, at time.Time) {
	if l.world.planted != deafToClocks {
		l.Node.PeerClock(peer, ahead, at)
	}
}

// PeerDates implements what gossip asks of a hub that shows whose certificate is out
// of date.
func (l local) PeerDates(peer territory.HubID, hold bool, at time.Time) {
	if l.world.planted != deafToClocks {
		l.Node.PeerDates(peer, hold, at)
	}
}

// late is what the gossip tells a node: some of it lost, some in another order.
type late struct {
	local
	ctx  context.Context
	work *sync.WaitGroup

	mu   sync.Mutex // guards draw
	draw *rand.Rand
}

// Apply implements gossip.Local.
func (l *late) Apply(ctx context.Context, wires [][]byte, from territory.HubID) (node.Applied, error) {
	l.mu.Lock()
	fate, wait := l.draw.IntN(8), time.Duration(l.draw.Int64N(int64(3*time.Second)))
	l.mu.Unlock()
	lost := node.Applied{Refused: len(wires)} // so that it is taken when it comes again
	switch fate {
	case 0:
		return lost, nil
	case 1:
		wires = slices.Clone(wires)
		l.work.Go(func() {
			select {
			case <-l.ctx.Done():
			case <-time.After(wait):
				l.local.Apply(l.ctx, wires, from)
			}
		})
		return lost, nil
	}
	return l.local.Apply(ctx, wires, from)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
