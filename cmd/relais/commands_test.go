package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"relais/hardware/tpm"
	"relais/node"
	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// What the TPM may be asked. On silicon a command takes up to tenths of a second.
const (
	startCommands     = 10 // until pages are served and the counter was read
	signInCommands    = 0
	handshakeCommands = 0
)

// startAsks starts a hub, and returns what its TPM was asked as /dev/tpmrm0 would
// have been. The first start after init is not counted: the others are like the
// second.
func startAsks(t testing.TB) (commands int64) {
	t.Helper()
	h := newDeviceHub(t)
	h.start(t)
	h.idle(t)
	h.stop()
	asked, listed := h.bus.asked.Load(), h.bus.listed.Load()
	h.start(t)
	if _, err := h.desk.get(t.Context(), "/connexion"); err != nil {
		t.Fatal(err)
	}
	h.idle(t)
	return h.bus.asked.Load() - asked - (h.bus.listed.Load() - listed)
}

// signInAsks has helpers sign in, each by the pages, and returns what the TPM was
// asked meanwhile.
func signInAsks(t testing.TB) (commands int64) {
	t.Helper()
	h := newDeviceHub(t)
	h.start(t)
	var accounts []node.Enrolment
	for i := range 5 {
		accounts = append(accounts, h.enrol(t, fmt.Sprintf("aidant%d", i)))
	}
	h.idle(t)
	before := h.bus.asked.Load()
	for _, account := range accounts {
		h.openAccount(t, account)
		if err := h.openDoors(); err != nil {
			t.Fatal(err)
		}
		if err := h.signIn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.idle(t)
	return h.bus.asked.Load() - before
}

// handshakeAsks has two hubs whose keys are in TPMs meet again and again, each time
// on a new connection, and returns what their TPMs were asked meanwhile.
func handshakeAsks(t testing.TB) (commands int64) {
	t.Helper()
	land := linktest.NewTerritory()
	one, other := newDeviceLink(t, land), newDeviceLink(t, land)
	before := one.bus.asked.Load() + other.bus.asked.Load()
	if before == 0 {
		t.Fatal("the keys were made without the TPM")
	}
	for range 20 {
		other.meet(t, one)
		one.meet(t, other)
	}
	if n := len(one.callers) + len(other.callers); n != 40 {
		t.Errorf("%d connections, want 40", n)
	}
	return one.bus.asked.Load() + other.bus.asked.Load() - before
}

// A deviceLink is a hub's link whose identity is in a TPM.
type deviceLink struct {
	*link.Link
	self territory.HubID
	bus  *tally

	mu      sync.Mutex
	callers map[string]bool // addresses that connections came from; guarded by mu
}

func newDeviceLink(t testing.TB, land *linktest.Territory) *deviceLink {
	t.Helper()
	h := &deviceLink{bus: newTally(t, startTPM(t)), callers: map[string]bool{}}
	p, err := tpm.New(h.bus.device())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	blob, err := p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	identity, err := p.LoadIdentity(blob)
	if err != nil {
		t.Fatal(err)
	}
	spki := linktest.SPKI(t, identity)
	h.self = territory.HubIDOf(spki)
	h.Link, err = link.New(link.Options{
		Self: h.self, Identity: identity, Roster: land.Roster, Listen: "127.0.0.1:0", HTTP: http.HandlerFunc(h.answer),
	})
	if err != nil {
		t.Fatal(err)
	}
	land.Change(func(r *territory.Roster) {
		r.Hubs = append(r.Hubs, territory.Hub{
			Index: uint16(len(r.Hubs)), ID: h.self, Name: h.self.String(), Identity: spki,
			Addresses: []string{h.Addr().String()}, Assurance: territory.AssuranceTPM, State: territory.HubActive,
		})
	})
	linktest.Run(t, h.Link)
	return h
}

func (h *deviceLink) answer(_ http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.callers[r.RemoteAddr] = true
}

// meet asks the other hub something, on a connection of its own.
func (h *deviceLink) meet(t testing.TB, other *deviceLink) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+other.self.String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	h.HTTPClient().CloseIdleConnections()
}

// A start is at most ten commands with its counter and its link's certificate;
// signing in and meeting another hub are none. That a signature is one is the twin.
func TestCommands(t *testing.T) {
	for name, c := range map[string]struct {
		asks func(testing.TB) int64
		most int64
	}{
		"start": {startAsks, startCommands}, "sign-in": {signInAsks, signInCommands}, "handshake": {handshakeAsks, handshakeCommands},
	} {
		t.Run(name, func(t *testing.T) {
			if n := c.asks(t); n > c.most {
				t.Errorf("the TPM was asked %d commands, want at most %d", n, c.most)
			} else {
				t.Logf("%d commands", n)
			}
		})
	}
}

func TestASignatureIsCounted(t *testing.T) {
	h := newDeviceHub(t)
	h.start(t)
	h.idle(t)
	before := h.bus.asked.Load()
	if _, err := h.keys.Identity().Sign(nil, make([]byte, 32), nil); err != nil {
		t.Fatal(err)
	}
	if n := h.bus.asked.Load() - before; n != 1 {
		t.Errorf("a signature is %d commands to the tally", n)
	}
}

func BenchmarkGoalStartCommands(b *testing.B)     { commandsGoal(b, startAsks, startCommands) }
func BenchmarkGoalSignInCommands(b *testing.B)    { commandsGoal(b, signInAsks, signInCommands) }
func BenchmarkGoalHandshakeCommands(b *testing.B) { commandsGoal(b, handshakeAsks, handshakeCommands) }

func commandsGoal(b *testing.B, asks func(testing.TB) int64, most float64) {
	for b.Loop() {
		b.ReportMetric(float64(asks(b)), "ours:commands")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(most, "goal:max")
	b.Logf("note: as /dev/tpmrm0 is asked; the counter and the link's certificate included")
}
