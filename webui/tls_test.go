package webui_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node"
	"relais/webui"
)

// memory is a sealed store without the sealing.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func newMemory() *memory { return &memory{values: make(map[string][]byte)} }

func (m *memory) Store(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = slices.Clone(value)
	return nil
}

func (m *memory) Load(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, found := m.values[key]
	if !found {
		return nil, fs.ErrNotExist
	}
	return value, nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

func (m *memory) Exists(ctx context.Context, key string) bool {
	_, err := m.Load(ctx, key)
	return err == nil
}

func (m *memory) List(_ context.Context, prefix string) ([]node.SecretInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []node.SecretInfo
	for _, key := range slices.Sorted(maps.Keys(m.values)) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, node.SecretInfo{Key: key, Size: int64(len(m.values[key]))})
		}
	}
	return all, nil
}

var tlsNames = []string{"valbrume.localhost", "borne.valbrume.localhost"}

func authorityOver(t *testing.T, store *memory, names []string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	a := webui.NewAuthority(store, names, time.Now, slog.New(slog.DiscardHandler))
	config, err := webui.Config(a, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := webui.RootPEM(a, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	return config, pool
}

// handshake connects to a server of config and returns what it showed.
func handshake(t *testing.T, server *tls.Config, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		_ = tls.Server(far, server).HandshakeContext(t.Context()) // the client says what went wrong
	}()
	conn := tls.Client(near, client)
	err := conn.HandshakeContext(t.Context())
	return conn.ConnectionState(), err
}

func TestCertificates(t *testing.T) {
	store := newMemory()
	config, roots := authorityOver(t, store, tlsNames)
	for _, name := range tlsNames {
		state, err := handshake(t, config, &tls.Config{ServerName: name, RootCAs: roots, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
			t.Errorf("%s: %q, version %x", name, state.NegotiatedProtocol, state.Version)
		}
		leaf := state.PeerCertificates[0]
		if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 32*24*time.Hour || leaf.IsCA {
			t.Errorf("%s: a certificate of %v", name, life)
		}
	}
	t.Run("TLS 1.2", func(t *testing.T) {
		if _, err := handshake(t, config, &tls.Config{ServerName: tlsNames[0], RootCAs: roots, MaxVersion: tls.VersionTLS12}); err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrTLS11", func(t *testing.T) {
		old := &tls.Config{ServerName: tlsNames[0], RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		if _, err := handshake(t, config, old); err == nil {
			t.Error("TLS 1.1 was accepted")
		}
	})
	t.Run("the same after a restart", func(t *testing.T) {
		before := maps.Clone(store.values)
		again, sameRoots := authorityOver(t, store, tlsNames)
		if _, err := handshake(t, again, &tls.Config{ServerName: tlsNames[0], RootCAs: roots}); err != nil {
			t.Error(err)
		}
		if !sameRoots.Equal(roots) {
			t.Error("another authority")
		}
		for key, value := range before {
			if strings.HasSuffix(key, ".crt") && !slices.Equal(value, store.values[key]) {
				t.Errorf("%s was issued again", key)
			}
		}
	})
	t.Run("made anew for other names", func(t *testing.T) {
		moved, newRoots := authorityOver(t, store, []string{"bus.localhost"})
		if newRoots.Equal(roots) {
			t.Error("the constraint is not the names any more")
		}
		if _, err := handshake(t, moved, &tls.Config{ServerName: "bus.localhost", RootCAs: newRoots}); err != nil {
			t.Error(err)
		}
	})
}

// TestAuthorityIsConstrained takes the authority's key out and asks it for a
// certificate of a site that is not the hub's: no client accepts it.
func TestAuthorityIsConstrained(t *testing.T) {
	store := newMemory()
	_, roots := authorityOver(t, store, tlsNames)
	block, _ := pem.Decode(store.values[webui.BundleKey(tlsNames)])
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !root.PermittedDNSDomainsCritical || cmp.Diff(root.PermittedDNSDomains, tlsNames) != "" || !root.MaxPathLenZero || len(root.ExcludedIPRanges) != 2 {
		t.Errorf("constraints: critical %v, %q", root.PermittedDNSDomainsCritical, root.PermittedDNSDomains)
	}
	for name, accepted := range map[string]bool{tlsNames[0]: true, "evil.example": false, "port-exemple.localhost": false} {
		der, err := webui.IssueFor(t.Context(), store, tlsNames, name)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
		if accepted != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStorage(t *testing.T) {
	ctx := t.Context()
	s := webui.NewStorage(newMemory())
	for _, key := range []string{"certificates/a/x/x.crt", "certificates/a/x/x.key", "certificates/ab/y/y.crt"} {
		if err := s.Store(ctx, key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(path string, recursive bool) []string {
		keys, err := s.List(ctx, path, recursive)
		if err != nil {
			t.Errorf("List %s: %v", path, err)
		}
		return keys
	}
	if diff := cmp.Diff(list("certificates/a", true), []string{"certificates/a/x/x.crt", "certificates/a/x/x.key"}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(list("certificates", false), []string{"certificates/a", "certificates/ab"}); diff != "" {
		t.Error(diff)
	}
	info, err := s.Stat(ctx, "certificates/a/x/x.crt")
	if err != nil || !info.IsTerminal || info.Size != 22 {
		t.Errorf("Stat: %+v, %v", info, err)
	}
	if info, err := s.Stat(ctx, "certificates/a"); err != nil || info.IsTerminal {
		t.Errorf("Stat of a folder: %+v, %v", info, err)
	}
	if err := s.Delete(ctx, "certificates/a"); err != nil || s.Exists(ctx, "certificates/a/x/x.key") || !s.Exists(ctx, "certificates/ab") {
		t.Errorf("Delete took too little or too much: %v", err)
	}
	t.Run("Lock", func(t *testing.T) {
		if err := s.Lock(ctx, "x"); err != nil {
			t.Fatal(err)
		}
		taken := make(chan error, 1)
		go func() { taken <- s.Lock(ctx, "x") }()
		select {
		case <-taken:
			t.Fatal("one lock, two holders")
		case <-time.After(20 * time.Millisecond):
		}
		if err := s.Unlock(ctx, "x"); err != nil {
			t.Fatal(err)
		}
		if err := <-taken; err != nil {
			t.Error(err)
		}
	})
	t.Run("ErrCanceled", func(t *testing.T) {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Lock(gone, "x"); err == nil {
			t.Error("a lock held elsewhere was taken")
		}
	})
	if _, err := s.List(ctx, "nothing", true); err == nil {
		t.Error("an empty folder is not said to be missing")
	}
}
