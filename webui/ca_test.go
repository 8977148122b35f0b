package webui_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"relais/node/territory"
	"relais/webui"
)

// certified has a territory certify the authority of some names, as an enrolment
// does, and returns the territory's certificate.
func certified(t *testing.T, store *memory, names []string) *x509.Certificate {
	t.Helper()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := webui.AuthorityKey(t.Context(), store, names)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := root.Authority().Certify(territory.Hub{HostNames: names}, key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := webui.CertifyAuthority(t.Context(), store, names, certificate, root.Authority().Certificate()); err != nil {
		t.Fatal(err)
	}
	above, err := x509.ParseCertificate(root.Authority().Certificate())
	if err != nil {
		t.Fatal(err)
	}
	return above
}

func rootAt(t *testing.T, store *memory, names []string, now time.Time, log *slog.Logger) []byte {
	t.Helper()
	a := webui.NewAuthority(store, names, func() time.Time { return now }, log)
	root, err := webui.RootPEM(a, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func keyOf(t *testing.T, store *memory, names []string) []byte {
	t.Helper()
	key, err := webui.AuthorityKey(t.Context(), store, names)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var quiet = slog.New(slog.DiscardHandler)

// A server that runs shows what the territory certified from the next handshake
// on: before, its own root; after, a chain that whoever trusts the territory
// verifies, constrained to the hub's names.
func TestReopenedWhileServing(t *testing.T) {
	store := newMemory()
	a := webui.NewAuthority(store, tlsNames, time.Now, quiet)
	config, err := webui.Config(a, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := webui.RootPEM(a, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, territorial := x509.NewCertPool(), x509.NewCertPool()
	own.AppendCertsFromPEM(root)
	above := certified(t, store, tlsNames)
	territorial.AddCert(above)
	shows := func(roots *x509.CertPool) (tls.ConnectionState, error) {
		return handshake(t, config, &tls.Config{ServerName: tlsNames[0], RootCAs: roots})
	}
	if _, err := shows(own); err != nil {
		t.Fatalf("before, whoever trusts the hub: %v", err)
	}
	if _, err := shows(territorial); err == nil {
		t.Fatal("before, whoever trusts the territory: this test cannot fail")
	}
	if err := webui.Reopen(a, t.Context()); err != nil {
		t.Fatal(err)
	}
	state, err := shows(territorial)
	if err != nil {
		t.Fatalf("after, whoever trusts the territory: %v", err)
	}
	chain := state.VerifiedChains[0]
	if len(chain) != 3 || !chain[2].Equal(above) || !chain[1].PermittedDNSDomainsCritical || !slices.Equal(chain[1].PermittedDNSDomains, tlsNames) {
		t.Errorf("a chain of %d; its authority is for %q", len(chain), chain[1].PermittedDNSDomains)
	}
	if root, err = webui.RootPEM(a, t.Context()); err != nil || !bytes.Equal(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: above.Raw})) {
		t.Errorf("what browsers are to trust is not the territory's: %v", err)
	}
	if err := webui.Reopen(a, t.Context()); err != nil { // nothing new
		t.Error(err)
	}
	if _, err := shows(territorial); err != nil {
		t.Error(err)
	}
}

// Each set of names has its authority: other names, then the former ones again,
// find what people trust and what the territory certified.
func TestAuthorityOfFormerNames(t *testing.T) {
	store := newMemory()
	certified(t, store, tlsNames)
	key, root := keyOf(t, store, tlsNames), rootAt(t, store, tlsNames, time.Now(), quiet)
	others := []string{"bus.localhost"}
	if bytes.Equal(keyOf(t, store, others), key) || bytes.Equal(rootAt(t, store, others, time.Now(), quiet), root) {
		t.Error("other names have the same authority: the constraint is not the names")
	}
	back := []string{tlsNames[1], strings.ToUpper(tlsNames[0])}
	if !bytes.Equal(keyOf(t, store, back), key) || !bytes.Equal(rootAt(t, store, back, time.Now(), quiet), root) {
		t.Error("the certified authority is lost")
	}
}

// A clock that is wrong destroys nothing. What the territory certified is used out
// of its dates, and it is said; our own is made again, with the same key.
func TestAuthorityOutOfDate(t *testing.T) {
	far := time.Now().AddDate(30, 0, 0)
	t.Run("certified", func(t *testing.T) {
		store := newMemory()
		certified(t, store, tlsNames)
		was := slices.Clone(store.values[webui.BundleKey(tlsNames)])
		var log bytes.Buffer
		rootAt(t, store, tlsNames, far, slog.New(slog.NewTextHandler(&log, nil)))
		if !bytes.Equal(store.values[webui.BundleKey(tlsNames)], was) {
			t.Error("it was replaced")
		}
		if !strings.Contains(log.String(), "out of its dates") {
			t.Errorf("the log says %q", log.String())
		}
	})
	t.Run("our own", func(t *testing.T) {
		store := newMemory()
		first := rootAt(t, store, tlsNames, time.Now(), quiet)
		key := keyOf(t, store, tlsNames)
		if bytes.Equal(rootAt(t, store, tlsNames, far, quiet), first) {
			t.Error("a root that is over is still shown")
		}
		config, _ := authorityOver(t, store, tlsNames) // the clock is right again
		if !bytes.Equal(keyOf(t, store, tlsNames), key) {
			t.Error("another key: what people trust is lost")
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(first)
		if _, err := handshake(t, config, &tls.Config{ServerName: tlsNames[0], RootCAs: roots}); err != nil {
			t.Errorf("whoever trusts the first root: %v", err)
		}
	})
}

// The one authority that the first version kept is found again by its names, and
// never takes the place of a newer one.
func TestAuthorityOfTheFirstVersion(t *testing.T) {
	const former = "webui/authority"
	store := newMemory()
	root := rootAt(t, store, tlsNames, time.Now(), quiet)
	was := store.values[webui.BundleKey(tlsNames)]
	store.values = map[string][]byte{former: was}
	rootAt(t, store, []string{"bus.localhost"}, time.Now(), quiet) // even by way of other names
	if !bytes.Equal(rootAt(t, store, tlsNames, time.Now(), quiet), root) || store.values[former] != nil {
		t.Error("it was not moved")
	}
	store.values[former] = was // as a power cut in the middle leaves it
	certified(t, store, tlsNames)
	now := slices.Clone(store.values[webui.BundleKey(tlsNames)])
	rootAt(t, store, []string{"autre.localhost"}, time.Now(), quiet)
	if !bytes.Equal(store.values[webui.BundleKey(tlsNames)], now) {
		t.Error("the former one took the place of a newer one")
	}
}

// What the territory signed for another key, or for other names, is refused.
func TestCertifyAuthorityRefuses(t *testing.T) {
	store := newMemory()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(stranger.Public())
	if err != nil {
		t.Fatal(err)
	}
	own := keyOf(t, store, tlsNames)
	for name, c := range map[string]struct {
		key   []byte
		names []string
	}{"another key": {other, tlsNames}, "other names": {own, tlsNames[:1]}} {
		t.Run(name, func(t *testing.T) {
			certificate, err := root.Authority().Certify(territory.Hub{HostNames: c.names}, c.key, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if err := webui.CertifyAuthority(t.Context(), store, tlsNames, certificate, root.Authority().Certificate()); err == nil {
				t.Error("it was kept")
			}
		})
	}
}
