// Package linktest makes territories for tests and benchmarks: hubs with real
// keys, a roster that a test may change, and links over loopback, all in one
// process. It is to link what httptest is to http.
package linktest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link"
)

// Territory is a roster that changes under test.
type Territory struct {
	mu     sync.Mutex // guards changes; readers take the pointer
	roster atomic.Pointer[territory.Roster]
}

// Hub is one hub's name and identity key.
type Hub struct {
	ID       territory.HubID
	Identity *ecdsa.PrivateKey
}

// NewTerritory returns a territory without hubs.
func NewTerritory() *Territory {
	t := &Territory{}
	t.roster.Store(&territory.Roster{Territory: "test", Zone: "Europe/Paris", Version: 1})
	return t
}

// Roster is the current roster.
func (t *Territory) Roster() *territory.Roster { return t.roster.Load() }

// Change installs a changed copy of the roster, one version up.
func (t *Territory) Change(f func(*territory.Roster)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := *t.roster.Load()
	next.Hubs = append([]territory.Hub(nil), next.Hubs...)
	next.Version++
	f(&next)
	t.roster.Store(&next)
}

// NewHub makes a hub with a key of its own, which no roster knows yet.
func NewHub(tb testing.TB) Hub {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return Hub{ID: territory.HubIDOf(SPKI(tb, key)), Identity: key}
}

// SPKI is the public half of a key as a roster holds it.
func SPKI(tb testing.TB, key crypto.Signer) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// Admit puts a hub on the roster, active, at the addresses.
func (t *Territory) Admit(tb testing.TB, h Hub, addresses ...string) {
	t.Change(func(r *territory.Roster) {
		r.Hubs = append(r.Hubs, territory.Hub{
			Index: uint16(len(r.Hubs)), ID: h.ID, Name: fmt.Sprintf("hub %d", len(r.Hubs)),
			Identity: SPKI(tb, h.Identity), Addresses: addresses,
			Assurance: territory.AssuranceSoftware, State: territory.HubActive,
		})
	})
}

// Update changes one hub's entry.
func (t *Territory) Update(id territory.HubID, f func(*territory.Hub)) {
	t.Change(func(r *territory.Roster) {
		for i := range r.Hubs {
			if r.Hubs[i].ID == id {
				f(&r.Hubs[i])
			}
		}
	})
}

// Options shape one link under test; all may be left empty.
type Options struct {
	Now    func() time.Time
	Proxy  *url.URL
	HTTP   http.Handler
	Logger *slog.Logger

	Network    link.Network
	Rendezvous []string
	NoTransit  bool
}

// Open makes a link for a hub on loopback. It is not running yet: set its
// receiver, then call Run.
func (t *Territory) Open(tb testing.TB, h Hub, o Options) *link.Link {
	tb.Helper()
	l, err := link.New(link.Options{
		Self: h.ID, Identity: h.Identity, Roster: t.Roster, Listen: "127.0.0.1:0",
		Now: o.Now, Proxy: o.Proxy, HTTP: o.HTTP, Logger: o.Logger,
		Network: o.Network, Rendezvous: o.Rendezvous, NoTransit: o.NoTransit,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	return l
}

// Run runs a link until the test ends.
func Run(tb testing.TB, l *link.Link) {
	tb.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(context.Background())
	}()
	tb.Cleanup(func() {
		l.Close()
		<-ended
	})
}

// Eventually waits until the condition holds, or fails the test after limit.
func Eventually(tb testing.TB, limit time.Duration, what string, condition func() bool) {
	tb.Helper()
	for end := time.Now().Add(limit); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not within %v: %s", limit, what)
		}
	}
}
