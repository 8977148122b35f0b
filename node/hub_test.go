package node_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node"
	"relais/node/mandate"
	"relais/node/nodetest"
	"relais/node/seal"
	"relais/node/territory"
)

func TestMain(m *testing.M) {
	nodetest.FoldersInMemory()
	m.Run()
}

// sealer is a Sealer with its key in memory: real encryption, no keyring.
type sealer struct {
	kek   [32]byte
	store seal.StoreID
	made  sync.Map // use and purpose to derived secret, kept as the keyring does
}

func newSealer() *sealer {
	s := &sealer{}
	rand.Read(s.kek[:])
	rand.Read(s.store[:])
	return s
}

func (s *sealer) derive(purpose seal.Purpose, use string) []byte {
	if secret, found := s.made.Load(use + string(purpose)); found {
		return secret.([]byte)
	}
	secret, err := hkdf.Key(sha256.New, s.kek[:], nil, use+string(purpose), seal.KeySize)
	if err != nil {
		panic(err)
	}
	s.made.Store(use+string(purpose), secret)
	return secret
}

func (s *sealer) key(purpose seal.Purpose) seal.Key {
	key, err := seal.NewKey(7, s.derive(purpose, "seal "))
	if err != nil {
		panic(err)
	}
	return key
}

func (s *sealer) Seal(purpose seal.Purpose, at seal.Place, plaintext []byte) ([]byte, error) {
	return s.key(purpose).Seal(s.store, at, plaintext), nil
}

func (s *sealer) Open(purpose seal.Purpose, at seal.Place, sealed []byte) ([]byte, error) {
	return s.key(purpose).Open(s.store, at, sealed)
}

func (s *sealer) Tag(purpose seal.Purpose, data []byte) [32]byte {
	h := hmac.New(sha256.New, s.derive(purpose, "tag "))
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// One key for ever: replacing it is the keyring's, and tested with it.
func (s *sealer) Epochs() []uint32 { return []uint32{7} }
func (s *sealer) Forget() error    { return nil }

func (s *sealer) Tags(purpose seal.Purpose, data []byte) []seal.Tag {
	return []seal.Tag{{Key: 7, Sum: s.Tag(purpose, data)}}
}

func (s *sealer) Retag(_ seal.Purpose, tag seal.Tag) (seal.Tag, error) { return tag, nil }

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// land is a territory: its root, its clock, its hubs.
type land struct {
	root    note.Signer
	rootKey string
	clock   *clock
	hubs    []*hub
	office  territory.StructureID // the one structure, served by every hub unless said otherwise
	version uint32
}

// hub is a node with what it takes to open it again.
type hub struct {
	*node.Node
	Options node.Options
	site    string
}

func newLand(t testing.TB) *land {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "relais-demo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	l := &land{root: root, rootKey: public, clock: newClock()}
	rand.Read(l.office[:])
	return l
}

// newHub makes and opens a hub in a folder of its own, not yet in a roster.
func (l *land) newHub(t testing.TB, name string, change ...func(*node.Options)) *hub {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := &hub{site: name, Options: node.Options{
		Dir: t.TempDir(), Sealer: newSealer(), Signer: crypto.Signer(key), Now: l.clock.Now,
	}}
	for _, f := range change {
		f(&h.Options)
	}
	birth := node.Birth{Territory: "demo", RootKey: l.rootKey, Name: name}
	if _, err := node.Create(t.Context(), h.Options, birth); err != nil {
		t.Fatal(err)
	}
	h.open(t)
	t.Cleanup(func() { h.Close() })
	l.hubs = append(l.hubs, h)
	return h
}

// open opens the hub's folder.
func (h *hub) open(t testing.TB) {
	t.Helper()
	n, err := node.Open(t.Context(), h.Options)
	if err != nil {
		t.Fatal(err)
	}
	h.Node = n
}

// reopen closes the hub and opens it again, as a restart does.
func (h *hub) reopen(t testing.TB) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.open(t)
}

// roster returns the next roster: every hub, one structure that may do
// everything and that all of them serve.
func (l *land) roster() *territory.Roster {
	l.version++
	now := l.clock.Now()
	r := &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris",
		Version: l.version, IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0),
	}
	office := territory.Structure{
		ID: l.office, Name: "France Services de Valbrume", State: territory.StructureOpen, Scopes: allScopes(),
	}
	for i, h := range l.hubs {
		keys := h.Keys()
		r.Hubs = append(r.Hubs, territory.Hub{
			Index: uint16(i + 1), ID: keys.Hub, Name: h.site, Identity: keys.Identity, Witness: keys.Witness,
			Recipient: keys.Recipient, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
		})
		office.Serving = append(office.Serving, keys.Hub)
	}
	r.Structures = []territory.Structure{office}
	return r
}

// sign signs a roster as the root does.
func (l *land) sign(t testing.TB, r *territory.Roster) []byte {
	t.Helper()
	signed, err := r.Sign(l.root)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// enrol gives every hub a roster that lists them all, after change.
func (l *land) enrol(t testing.TB, change ...func(*territory.Roster)) {
	t.Helper()
	r := l.roster()
	for _, f := range change {
		f(r)
	}
	signed := l.sign(t, r)
	for _, h := range l.hubs {
		if err := h.InstallRoster(t.Context(), signed); err != nil {
			t.Fatal(err)
		}
	}
}

func allScopes() (keys []string) {
	for _, s := range []mandate.Scope{
		mandate.Papiers, mandate.Famille, mandate.Social, mandate.Travail, mandate.Logement,
		mandate.Transports, mandate.Argent, mandate.Justice, mandate.Etranger, mandate.Loisirs,
	} {
		keys = append(keys, string(s))
	}
	return keys
}
