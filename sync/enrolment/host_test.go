package enrolment_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relais/node"
	"relais/node/territory"
	"relais/sync/enrolment"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// host is a hub that invites: a root, a signed roster, a link; what it would do
// with a request is what the test says.
type host struct {
	linktest.Hub
	root     territory.Root
	inviting atomic.Bool
	link     *link.Link

	mu      sync.Mutex // guards what follows
	roster  *territory.Roster
	note    []byte
	turns   [][]byte
	secrets []territory.InviteSecret
	answer  node.Enrolled
	err     error
}

func (h *host) RootKey() string           { h.mu.Lock(); defer h.mu.Unlock(); return h.root.Public() }
func (h *host) RosterNote() []byte        { h.mu.Lock(); defer h.mu.Unlock(); return h.note }
func (h *host) Roster() *territory.Roster { h.mu.Lock(); defer h.mu.Unlock(); return h.roster }

func (h *host) RosterTurns(context.Context, uint32) ([][]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.turns, nil
}

// turn lets the root that follows sign from now on.
func (h *host) turn(t testing.TB) {
	t.Helper()
	if len(h.turns) == 0 {
		h.turns = [][]byte{h.note}
	}
	next, err := h.root.Turn()
	check(t, err)
	h.mu.Lock()
	h.root = next
	h.mu.Unlock()
	r, err := h.Roster().Clone()
	check(t, err)
	h.sign(t, r)
	h.turns = append(h.turns, h.note)
}

func (h *host) TakeRequest(_ context.Context, secret territory.InviteSecret, _ []byte) (node.Enrolled, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secrets = append(h.secrets, secret)
	return h.answer, h.err
}

func (h *host) asked() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.secrets) }

// newHost makes a hub that invites, alone in its territory. serve is nil for the
// protocol itself.
func newHost(t testing.TB, serve http.Handler) *host {
	t.Helper()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", now)
	check(t, err)
	h := &host{Hub: linktest.NewHub(t), root: root, answer: node.Enrolled{State: node.RequestWaiting, Fingerprint: "0000 1111 2222 3333"}}
	h.inviting.Store(true)
	if serve == nil {
		serve = enrolment.NewHandler(h, nil)
	}
	h.link, err = link.New(link.Options{
		Self: h.ID, Identity: h.Identity, Roster: h.Roster, Listen: "127.0.0.1:0", Join: serve, Inviting: h.inviting.Load,
		HTTP: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
	})
	check(t, err)
	h.sign(t, &territory.Roster{Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris", Hubs: []territory.Hub{h.entry(t, h.Hub, 1, h.link.Addr().String())}})
	linktest.Run(t, h.link)
	return h
}

func (h *host) entry(t testing.TB, of linktest.Hub, index uint16, addresses ...string) territory.Hub {
	return territory.Hub{
		Index: index, ID: of.ID, Name: "Valbrume", Identity: linktest.SPKI(t, of.Identity), Witness: make([]byte, 32), Recipient: "age1example",
		Addresses: addresses, Assurance: territory.AssuranceSoftware, State: territory.HubActive,
	}
}

func (h *host) sign(t testing.TB, r *territory.Roster) {
	t.Helper()
	r, err := r.Clone() // Issue writes to it, and the link reads the one in force
	check(t, err)
	signed, err := h.root.Issue(r, now, territory.RosterDays)
	check(t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.roster, h.note = r, signed
}

// invitation leads to the host at the addresses, its own when there are none.
func (h *host) invitation(addresses ...string) territory.Invitation {
	if len(addresses) == 0 {
		addresses = []string{h.link.Addr().String()}
	}
	return territory.Invitation{
		Territory: "demo", Root: territory.RootFingerprint(h.root.Public()), MinVersion: 1, Hub: h.ID,
		Addresses: addresses, Secret: territory.NewSecret(), Expires: now,
	}
}

// newcomer is a machine that no roster lists, and what it asks.
type newcomer struct {
	linktest.Hub
	caller *link.Caller
	*enrolment.Client
}

func newNewcomer(t testing.TB) *newcomer {
	t.Helper()
	h := linktest.NewHub(t)
	credentials, err := link.NewCredentials(h.ID, h.Identity, nil)
	check(t, err)
	caller := link.NewCaller(credentials, nil)
	return &newcomer{h, caller, enrolment.NewClient(caller)}
}

func (n *newcomer) request(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	check(t, err)
	text, err := json.Marshal(territory.NewRequest("demo", territory.Hub{
		ID: n.ID, Name: "Le bus", Identity: linktest.SPKI(t, n.Identity), Witness: bytes.Repeat([]byte{1}, 32), Recipient: "age1example",
		Assurance: territory.AssuranceSoftware,
	}, spki, nil))
	check(t, err)
	return text
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
