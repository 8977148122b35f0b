package webui_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"relais/node"
	"relais/node/mandate"
	"relais/node/nodetest"
	"relais/node/people"
	"relais/node/seal"
	"relais/node/territory"
	"relais/webui"
	"relais/webui/internal/htmlcheck"
)

// sealer is a Sealer with its key in memory: real encryption, no keyring.
type sealer struct {
	kek   [32]byte
	store seal.StoreID
}

func newSealer() *sealer {
	s := &sealer{}
	rand.Read(s.kek[:])
	rand.Read(s.store[:])
	return s
}

func (s *sealer) derive(purpose seal.Purpose, use string) []byte {
	secret, err := hkdf.Key(sha256.New, s.kek[:], nil, use+string(purpose), seal.KeySize)
	if err != nil {
		panic(err)
	}
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

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const (
	deskName  = "valbrume.localhost"
	kioskName = "borne.valbrume.localhost"
)

// What a passphrase costs is the node's, and tested with it.
func init() { nodetest.CheapPassphrases() }

// site is a real hub with its pages on a real TLS listener, and an account.
type site struct {
	node    *node.Node
	root    territory.Root
	server  *webui.Server
	clock   *clock
	helper  node.Enrolment
	address string // host:port of the listener
	roots   *x509.CertPool
	logs    *lockedBuffer
}

// lockedBuffer collects logs of many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newSite makes a hub for this test alone, which runs beside the others: a site
// waits for its disk more than it computes.
func newSite(t *testing.T, change ...func(*webui.Options)) *site {
	t.Helper()
	t.Parallel()
	s := &site{clock: &clock{now: time.Now().UTC().Truncate(time.Second)}, logs: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.node, s.root = newNode(t, s.clock, log)
	var err error
	o := webui.Options{Node: s.node, Names: []string{deskName}, KioskName: kioskName, Software: true, Now: s.clock.Now, Logger: log}
	for _, f := range change {
		f(&o)
	}
	s.server, err = webui.New(o)
	if err != nil {
		t.Fatal(err)
	}
	roster := s.node.Roster()
	s.helper, err = s.node.EnrolHelper(t.Context(), nil, node.NewHelper{
		Login: "camille", Name: people.Name{Given: "Camille", Family: "Essai"}, Structure: roster.Structures[0].ID, Role: people.RoleHelper,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.serve(t)
	return s
}

func newNode(t *testing.T, c *clock, log *slog.Logger) (*node.Node, territory.Root) {
	t.Helper()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", c.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := node.Options{Dir: t.TempDir(), Sealer: newSealer(), Signer: key, Now: c.Now, Logger: log}
	if _, err := node.Create(t.Context(), o, node.Birth{Territory: "demo", RootKey: root.Public(), Name: "Valbrume"}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	signed, err := root.Issue(rosterOf(n), c.Now(), 400)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.InstallRoster(t.Context(), signed); err != nil {
		t.Fatal(err)
	}
	return n, root
}

// rosterOf is the first roster, before it is issued.
func rosterOf(n *node.Node) *territory.Roster {
	keys := n.Keys()
	r := &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris",
		Hubs: []territory.Hub{{
			Index: 1, ID: keys.Hub, Name: "Valbrume", Identity: keys.Identity, Witness: keys.Witness, Recipient: keys.Recipient,
			Addresses: []string{"127.0.0.1:7443"}, HostNames: []string{deskName}, KioskName: kioskName, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
		}},
	}
	structure := territory.Structure{Name: "Maison de services (démo)", Address: "2 place de l’Exemple", State: territory.StructureOpen, Serving: []territory.HubID{keys.Hub}}
	rand.Read(structure.ID[:])
	for _, scope := range mandate.Scopes() {
		structure.Scopes = append(structure.Scopes, string(scope))
	}
	other := structure
	other.Name = "CCAS de Port-Exemple (démo)"
	rand.Read(other.ID[:])
	r.Structures = []territory.Structure{structure, other}
	return r
}

func (s *site) serve(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	root, err := s.server.CA(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(root) {
		t.Fatalf("no certificate in %q", root)
	}
}

// browser is a client with a jar of its own, that trusts the hub's authority and
// follows no redirect by itself.
type browser struct {
	t      *testing.T
	host   string
	client *http.Client
}

func (s *site) browser(t *testing.T, host string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: s.roots},
		ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, host: host, client: &http.Client{
		Jar: jar, Transport: transport, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response read to its end.
type answer struct {
	t *testing.T
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{b.t, response, string(body)}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "https://"+b.host+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, "https://"+b.host+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// wants checks the status and the page.
func (a answer) wants(status int, checks ...htmlcheck.Check) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, excerpt(a.body))
	}
	if err := htmlcheck.Run(a.body, checks...); err != nil {
		a.t.Errorf("%s %s: %v", a.Request.Method, a.Request.URL.Path, err)
	}
	return a
}

// leads checks a redirect after a change and returns where it leads.
func (a answer) leads(to string) string {
	a.t.Helper()
	location := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, to) {
		a.t.Fatalf("%s %s: status %d to %q, want 303 to %q\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, location, to, excerpt(a.body))
	}
	return location
}

func excerpt(body string) string {
	if i := strings.Index(body, `role="alert"`); i >= 0 {
		body = body[i:]
	}
	return body[:min(len(body), 600)]
}

// code is a TOTP code of the helper's card, now. Each serves once, so the clock moves
// to the next step first.
func (s *site) code(t *testing.T) string {
	t.Helper()
	key, err := otp.NewKeyFromURL(s.helper.TOTP)
	if err != nil {
		t.Fatal(err)
	}
	s.clock.advance(30 * time.Second)
	code, err := totp.GenerateCode(key.Secret(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// signedIn returns a browser at the desk, signed in.
func (s *site) signedIn(t *testing.T) *browser {
	t.Helper()
	b := s.browser(t, deskName)
	b.post("/connexion", "login", s.helper.Login, "passphrase", s.helper.Passphrase, "code", s.code(t)).leads("/bureau")
	return b
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}
