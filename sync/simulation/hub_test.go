package simulation_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/hardware/keyring"
	"relais/hardware/keyring/recoverywork"
	"relais/hardware/soft"
	"relais/node"
	"relais/node/id"
	"relais/node/nodetest"
	"relais/node/people"
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

// born is when the folders were made: the clock of a bubble starts at the next
// midnight.
func born() time.Time { return time.Date(1999, 12, 31, 12, 0, 0, 0, time.UTC) }

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
	secret, public, err := note.GenerateKey(rand.Reader, string(code))
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
	if t.spare, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
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
	skew     time.Duration

	*node.Node // nil while it sleeps
	link       *link.Link
	rows       *sql.DB // what it stores, read beside it
	end        func()
}

func (h *hub) awake() bool { return h.Node != nil }

func (h *hub) address() string { return h.host + ":7443" }

// now is the hub's own clock.
func (h *hub) now() time.Time { return time.Now().Add(h.skew) }

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
	l, err := link.New(link.Options{
		Self: n.Self(), Identity: h.signer, Roster: n.Roster, Listen: h.address(), Network: host{h.world.fabric, h.host}, Now: h.now,
		HTTP: exchange.NewHandler(exchange.HandlerOptions{Records: n, Rosters: n, Dossiers: n}),
	})
	check(t, err)
	pull := exchange.NewPuller(exchange.NewClient(n, l.HTTPClient(), h.now), nil)
	pool := gossip.New(gossip.Options{Local: n, Link: l, OnBehind: pull.Want, Now: h.now})
	n.OnRecord(func(wire []byte, from territory.HubID) {
		pool.Publish(wire, from)
		pull.WantDossiers()
	})
	n.OnRoster(func(*territory.Roster) { l.Refresh() })
	rows, err := sql.Open("sqlite3", "file:"+filepath.Join(h.dir, "relais.db")+"?_busy_timeout=5000")
	check(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	var work, linked sync.WaitGroup
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

// copyFolder copies the files of a hub that sleeps.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	check(t, os.RemoveAll(to))
	check(t, os.CopyFS(to, os.DirFS(from)))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
