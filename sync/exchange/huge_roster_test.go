package exchange_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node/nodetest"
	"relais/node/territory"
	"relais/sync/exchange"
	"relais/sync/link/linktest"
)

// vast is a hub whose roster has ten thousand hubs.
type vast struct {
	*memory
	note []byte
}

func (v vast) RosterNote() []byte { return v.note }

// TestHugeRoster: a peer whose roster has ten thousand hubs is read up to the
// bound and no further, each time; what it knows beside that is taken, by the
// roster that is here.
func TestHugeRoster(t *testing.T) {
	secret, _, err := note.GenerateKey(rand.Reader, "relais-demo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	huge := nodetest.SignHuge(t, nodetest.Huge(t, &territory.Roster{
		Territory: "demo", Name: "Territoire d’essai", Zone: "Europe/Paris", Version: 8, IssuedAt: now, ExpiresAt: now.AddDate(1, 0, 0),
	}), root)

	terr := linktest.NewTerritory()
	mem := newMemory(9)
	peer := linktest.NewHub(t)
	serve := exchange.NewHandler(exchange.HandlerOptions{Records: mem, Rosters: vast{mem, huge}, Dossiers: mem})
	l := terr.Open(t, peer, linktest.Options{HTTP: serve})
	terr.Admit(t, peer, l.Addr().String())
	linktest.Run(t, l)
	here := start(t, terr, newMemory(3))
	for pass := range 2 {
		mem.write(0, 5, 100)
		done, err := here.client.Pull(t.Context(), peer.ID)
		if err == nil || !strings.Contains(err.Error(), "the answer exceeds 1048576 octets") {
			t.Errorf("pass %d: %v", pass, err)
		}
		if done.Roster || done.New != 5 || here.mem.Roster().Version != 3 {
			t.Errorf("pass %d: %+v, roster %d", pass, done, here.mem.Roster().Version)
		}
	}
}
