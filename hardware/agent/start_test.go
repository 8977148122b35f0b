package agent_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
)

var _ keyring.Provider = (*agent.Client)(nil)

var kek = []byte("0123456789abcdef0123456789ABCDEF")

// shortDir is a folder whose sockets fit in an address.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "seal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startTPM runs a software TPM and returns a provider of it, as an agent has.
func startTPM(t testing.TB) (*swtpm.Process, *tpm.Provider) {
	t.Helper()
	process, err := swtpm.Start(context.Background(), shortDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Resume()
		process.Stop()
	})
	p, err := tpm.New(process.Device())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return process, p
}

// An agentProcess is a server in this process, that can be stopped and started
// again on its socket.
type agentProcess struct {
	t      testing.TB
	path   string
	server *agent.Server
	stop   func()
}

func serve(t testing.TB, p keyring.Provider, users ...uint32) *agentProcess {
	t.Helper()
	a := &agentProcess{t: t, path: filepath.Join(shortDir(t), "seal.sock")}
	a.server = serverOf(p, users...)
	a.start()
	t.Cleanup(func() { a.stop() })
	return a
}

func serverOf(p keyring.Provider, users ...uint32) *agent.Server {
	return agent.NewServer(p, tpm.Reasons(), append(users, uint32(os.Geteuid())), slog.New(slog.DiscardHandler))
}

func (a *agentProcess) start() {
	a.t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: a.path, Net: "unix"})
	if err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.server.Serve(ctx, l) }()
	a.stop = func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				a.t.Errorf("Serve: %v", err)
			}
			done <- nil
		case <-time.After(5 * time.Second):
			a.t.Error("the server does not end")
		}
	}
}

func (a *agentProcess) dial() *agent.Client {
	a.t.Helper()
	c, err := agent.Dial(a.path, tpm.Reasons())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { c.Close() })
	return c
}

// onFile is an agent of a software provider: enough where no TPM is tested.
func onFile(t testing.TB) *agentProcess {
	t.Helper()
	return serve(t, soft.New(t.TempDir()))
}

func wrap(t testing.TB, p keyring.Provider) []byte {
	t.Helper()
	blob, err := p.Wrap(kek)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func mustUnwrap(t testing.TB, p keyring.Provider, blob []byte) {
	t.Helper()
	if got, err := p.Unwrap(blob); err != nil || !bytes.Equal(got, kek) {
		t.Fatalf("Unwrap = %q, %v", got, err)
	}
}

func newIdentity(t testing.TB, p keyring.Provider) crypto.Signer {
	t.Helper()
	blob, err := p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := p.LoadIdentity(blob)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// signed makes one signature and verifies it.
func signed(s crypto.Signer, text string) error {
	digest := sha256.Sum256([]byte(text))
	signature, err := s.Sign(nil, digest[:], nil)
	if err == nil && !ecdsa.VerifyASN1(s.Public().(*ecdsa.PublicKey), digest[:], signature) {
		return errors.New("the signature does not verify")
	}
	return err
}

func mustSign(t testing.TB, s crypto.Signer) {
	t.Helper()
	if err := signed(s, t.Name()); err != nil {
		t.Fatal(err)
	}
}
