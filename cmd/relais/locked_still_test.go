package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"relais/hardware/soft"
	"relais/node"
	"relais/node/territory"
)

// A doorbell is where another hub of the territory would answer: it counts who calls,
// and hangs up.
type doorbell struct {
	address string
	rung    atomic.Int64
}

func newDoorbell(t *testing.T) *doorbell {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	d := &doorbell{address: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			d.rung.Add(1)
			conn.Close()
		}
	}()
	return d
}

// neighbour is a hub of the same territory that is said to answer at an address.
func neighbour(t *testing.T, address string) territory.Hub {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h := territory.Hub{
		ID: territory.HubIDOf(spki), Name: "Port-Exemple", Identity: spki, Witness: make([]byte, 32), Recipient: recipient.Recipient().String(),
		Addresses: []string{address}, HostNames: []string{"port.localhost"}, Assurance: territory.AssuranceSoftware,
	}
	rand.Read(h.Witness)
	return h
}

// meets gives the hub a roster that lists it, and a neighbour.
func (h *sealedHub) meets(t *testing.T, n territory.Hub) {
	t.Helper()
	r := &territory.Roster{Territory: "demo", Name: "Territoire d’essai", Zone: "Europe/Paris"}
	r.Enrol(h.request(t).Hub)
	r.Enrol(n)
	signed, err := h.root.Issue(r, time.Now(), 400)
	if err != nil {
		t.Fatal(err)
	}
	if err := withNode(t.Context(), h.config, func(n *node.Node) error { return n.InstallRoster(t.Context(), signed) }); err != nil {
		t.Fatal(err)
	}
}

// lockedFor is how long TestLockedIsStill looks on: the hub tries its keys in vain
// once at the least.
const lockedFor = unlockRetry + time.Second

// TestLockedIsStill runs a hub whose keys do not open, as a program. Its link's port
// takes no connection, nobody hears of it, and no act is done: each gets the page that
// says why and what to do, and the folder is as it was. The twin is in it: its key put
// back, the same process listens and calls its neighbour.
func TestLockedIsStill(t *testing.T) {
	t.Parallel()
	bell := newDoorbell(t)
	h := newSealedHub(t, "unix:/nowhere/tpm.sock", func(c *Config) {
		c.Keys.Provider, c.Link.Listen, c.Web.KioskName = "software", freeAddress(), "borne.localhost"
	})
	h.meets(t, neighbour(t, bell.address))
	key := filepath.Join(h.config.Hub.DataDir, "software.key")
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	before := folderSums(t, h.config.Hub.DataDir)

	s := &stageHub{name: "Valbrume", folder: t.TempDir(), config: h.config}
	if err := os.WriteFile(s.configFile(), []byte(h.config.text()), 0o600); err != nil {
		t.Fatal(err)
	}
	relais, err := exec.LookPath("relais") // testscript.Main put it there
	if err != nil {
		t.Fatal(err)
	}
	program, err := startChild(s.name, s.log(), relais, "serve", "--config", s.configFile())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.stop() })
	begun := time.Now()
	for ; !answers(h.config.Web.Listen); time.Sleep(10 * time.Millisecond) {
		if gone, how := program.ended(); gone || time.Since(begun) > readyTimeout {
			t.Fatalf("it shows no page: %v\n%s", how, tail(s.log(), 2000))
		}
	}
	h.refusesActs(t)
	for begun = time.Now(); time.Since(begun) < lockedFor; time.Sleep(50 * time.Millisecond) {
		if answers(h.config.Link.Listen) {
			t.Fatal("a locked hub listens to other hubs")
		}
	}
	h.refusesActs(t)
	if n := bell.rung.Load(); n > 0 {
		t.Errorf("a locked hub called its neighbour %d times", n)
	}
	if diff := cmp.Diff(before, folderSums(t, h.config.Hub.DataDir)); diff != "" {
		t.Errorf("a locked hub changed its folder:\n%s", diff)
	}

	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	for begun = time.Now(); !answers(h.config.Link.Listen) || bell.rung.Load() == 0; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > readyTimeout {
			t.Fatalf("once its keys open: it listens: %v, it called %d times\n%s", answers(h.config.Link.Listen), bell.rung.Load(), tail(s.log(), 2000))
		}
	}
}

// answers tells whether a port takes a connection.
func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// folderSums are the hashes of a folder's files, but for the lock, which says who holds it.
func folderSums(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := make(map[string]string)
	for _, f := range files {
		if !f.Type().IsRegular() || f.Name() == "lock" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sums[f.Name()] = fmt.Sprintf("%x", sha256.Sum256(text))
	}
	return sums
}

// refusesActs sends what would sign in, draw up, stop and enrol, to pages and control
// socket.
func (h *sealedHub) refusesActs(t *testing.T) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", h.config.Web.Listen)
		},
	}}
	desk, kiosk := "https://"+h.config.Web.Names[0], "https://"+h.config.Web.KioskName
	for _, address := range []string{
		desk + "/connexion", desk + "/bureau/accompagnements/nouveau", desk + "/bureau/mandats/code", desk + "/bureau/mandats/aidants-connect",
		desk + "/departement/inviter", kiosk + "/kiosque/arreter", kiosk + "/kiosque/effacer",
	} {
		response, err := client.PostForm(address, url.Values{"code": {"0000-0000-0000-0000"}})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if page := html.UnescapeString(string(body)); err != nil || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, soft.ErrLost.Remedy) {
			t.Errorf("%s: %d, %v\n%s", address, response.StatusCode, err, page)
		}
	}
	for _, act := range []string{"/national-pass", "/checkpoint", "/roster", "/helpers", "/rekey"} {
		if err := askHub(t.Context(), h.config.Hub.DataDir, http.MethodPost, act, nil, new(status)); statusOf(err) != exitLocked {
			t.Errorf("%s by the control socket: %v", act, err)
		}
	}
}
