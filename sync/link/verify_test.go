package link_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// get asks a hub for its root page over h2 and returns the body.
func get(t *testing.T, from, to *end) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+to.ID.String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := from.link.HTTPClient().Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 {
		t.Errorf("the answer came over %s", resp.Proto)
	}
	return string(body), err
}

// nameTheCaller answers with the peer's name.
var nameTheCaller = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, link.PeerOf(r))
})

func TestHTTPKnowsThePeer(t *testing.T) {
	terr := linktest.NewTerritory()
	a := start(t, terr, linktest.Options{})
	b := start(t, terr, linktest.Options{HTTP: nameTheCaller})
	body, err := get(t, a, b)
	if err != nil || body != a.ID.String() {
		t.Errorf("the handler saw %q, %v; want %s", body, err, a.ID)
	}
	if r, _ := http.NewRequest(http.MethodGet, "http://x/", nil); !link.PeerOf(r).IsZero() {
		t.Error("a request without TLS names a peer")
	}
	if _, err := a.link.HTTPClient().Get("https://example.org/"); err == nil {
		t.Error("the link's client goes elsewhere")
	}
}

func TestRefusedPeers(t *testing.T) {
	for _, c := range []struct {
		name string
		// spoil changes the caller or the roster so that b must refuse.
		spoil func(t *testing.T, terr *linktest.Territory, caller *linktest.Hub)
	}{
		{"ErrUnknownPeer", func(t *testing.T, terr *linktest.Territory, caller *linktest.Hub) {
			terr.Change(func(r *territory.Roster) { r.Hubs = r.Hubs[:len(r.Hubs)-1] })
		}},
		{"ErrExpelledPeer", func(t *testing.T, terr *linktest.Territory, caller *linktest.Hub) {
			terr.Update(caller.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
		}},
		{"ErrForgedPeer", func(t *testing.T, terr *linktest.Territory, caller *linktest.Hub) {
			caller.Identity = linktest.NewHub(t).Identity // its name, another's key
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			b := start(t, terr, linktest.Options{HTTP: nameTheCaller})
			caller := linktest.NewHub(t)
			terr.Admit(t, caller, "127.0.0.1:1")
			c.spoil(t, terr, &caller)
			// The caller believes in a roster of its own, in which all is well.
			theirs := linktest.NewTerritory()
			theirs.Admit(t, b.Hub, b.link.Addr().String())
			theirs.Admit(t, caller, "127.0.0.1:1")
			a := open(t, theirs, caller, linktest.Options{})
			linktest.Run(t, a.link)
			if err := a.link.Connect(t.Context(), b.ID); err == nil {
				t.Error("the session stands")
			}
			if body, err := get(t, a, b); err == nil {
				t.Errorf("the request was answered: %q", body)
			}
			if b.link.Peer(caller.ID).Connected || len(b.in.ups) > 0 {
				t.Error("the callee counts it as a peer")
			}
		})
	}
	t.Run("twin", func(t *testing.T) { // unspoiled, the same way in works
		terr := linktest.NewTerritory()
		a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{HTTP: nameTheCaller})
		if err := a.link.Connect(t.Context(), b.ID); err != nil {
			t.Error(err)
		}
	})
}

func TestErrWrongPeer(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	other := linktest.NewHub(t) // its address leads to b
	terr.Admit(t, other, b.link.Addr().String())
	if err := a.link.Connect(t.Context(), other.ID); !errors.Is(err, link.ErrWrongPeer) {
		t.Errorf("connected to %s at b's address: %v", other.ID, err)
	}
}

func TestDeadClockIsMarkedNotRefused(t *testing.T) {
	terr := linktest.NewTerritory()
	a := start(t, terr, linktest.Options{})
	dead := start(t, terr, linktest.Options{Now: func() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }})
	if err := dead.link.Connect(t.Context(), a.ID); err != nil {
		t.Fatalf("a peer with a dead clock is refused: %v", err)
	}
	send(t, dead, a, "stop it")
	arrives(t, dead, a, "stop it")
	if !a.link.Peer(dead.ID).OutOfDate {
		t.Error("a peer with a dead clock is not marked")
	}
}

func TestExpulsionClosesConnections(t *testing.T) {
	terr := linktest.NewTerritory()
	a := start(t, terr, linktest.Options{})
	b := start(t, terr, linktest.Options{HTTP: nameTheCaller})
	if err := a.link.Connect(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, a, b); err != nil {
		t.Fatal(err)
	}
	terr.Update(a.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	linktest.Eventually(t, 5*time.Second, "b closes the expelled hub's session", func() bool {
		return !b.link.Peer(a.ID).Connected && !a.link.Peer(b.ID).Connected
	})
	if body, err := get(t, a, b); err == nil && body == a.ID.String() {
		t.Error("an expelled hub is still served")
	}
	if err := b.link.Send(a.ID, link.TypePacket, nil); !errors.Is(err, link.ErrUnknownPeer) {
		t.Errorf("a packet to an expelled hub: %v", err)
	}
}

func TestServerTLSAlone(t *testing.T) { // as the national service uses it
	terr := linktest.NewTerritory()
	a := start(t, terr, linktest.Options{})
	service := linktest.NewHub(t)
	credentials, err := link.NewCredentials(service.ID, service.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", credentials.ServerTLS(terr.Roster, link.ALPNHTTP))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: nameTheCaller}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	terr.Change(func(r *territory.Roster) {
		r.National = &territory.National{
			Index: 1000, ID: service.ID, Identity: linktest.SPKI(t, service.Identity),
			URL: "https://" + listener.Addr().String(),
		}
	})
	body, err := get(t, a, &end{Hub: service})
	if err != nil || body != a.ID.String() {
		t.Errorf("the national service saw %q, %v", body, err)
	}
	if got := a.link.Peer(service.ID).Octets; got.In == 0 || got.Out == 0 {
		t.Errorf("octets with the national service: %+v", got)
	}
}

func TestRenewalByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := linktest.NewHub(t)
		signatures := &counting{Signer: h.Identity}
		c, err := link.NewCredentials(h.ID, signatures, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, slog.New(slog.DiscardHandler), nil) }()
		config := c.ServerTLS(linktest.NewTerritory().Roster)
		for day := range 60 {
			leaf, _ := config.GetCertificate(nil)
			if left := time.Until(leaf.Leaf.NotAfter); left < 23*time.Hour {
				t.Fatalf("on day %d the leaf has %v left", day, left)
			}
			signatures.broken.Store(day >= 20 && day < 22) // the TPM hangs; nothing else does
			time.Sleep(24 * time.Hour)
		}
		if n := signatures.n.Load(); n < 13 || n > 30 {
			t.Errorf("the identity key signed %d times in 60 days", n)
		}
		cancel()
		<-ended
	})
}

// counting is an identity key that counts its signatures, and may fail.
type counting struct {
	crypto.Signer
	n      atomic.Int64
	broken atomic.Bool
}

func (c *counting) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if c.broken.Load() {
		return nil, errors.New("the TPM does not answer")
	}
	c.n.Add(1)
	return c.Signer.Sign(r, digest, o)
}

func TestWrongIdentityKey(t *testing.T) {
	h := linktest.NewHub(t)
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link.NewCredentials(h.ID, key, nil); err == nil {
		t.Error("a P-384 identity key is taken")
	}
	hung := &counting{Signer: h.Identity}
	hung.broken.Store(true)
	if _, err := link.NewCredentials(h.ID, hung, nil); err == nil {
		t.Error("credentials without a signature")
	}
}

func TestRenewal(t *testing.T) {
	h := linktest.NewHub(t)
	c, err := link.NewCredentials(h.ID, h.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	config := c.ServerTLS(linktest.NewTerritory().Roster)
	before, _ := config.GetCertificate(nil)
	if life := before.Leaf.NotAfter.Sub(before.Leaf.NotBefore); life > 7*24*time.Hour+time.Hour {
		t.Errorf("a leaf lives %v", life)
	}
	if err := c.Renew(); err != nil {
		t.Fatal(err)
	}
	if after, _ := config.GetCertificate(nil); after.Leaf.Equal(before.Leaf) {
		t.Error("a configuration made before keeps the old leaf")
	}
}
