package agent_test

import (
	"crypto"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
)

// liar signs something else when told to.
type liar struct {
	keyring.Provider
	lies bool
}

func (l *liar) LoadIdentity(blob []byte) (crypto.Signer, error) {
	signer, err := l.Provider.LoadIdentity(blob)
	return lyingSigner{signer, l}, err
}

type lyingSigner struct {
	crypto.Signer
	liar *liar
}

func (s lyingSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if s.liar.lies {
		digest = make([]byte, len(digest))
	}
	return s.Signer.Sign(r, digest, o)
}

// The agent is killed and started again: the client finds it by itself, and the
// identity is loaded again.
func TestAgentRestarts(t *testing.T) {
	process, p := startTPM(t)
	a := serve(t, p)
	c := a.dial()
	blob := wrap(t, c)
	signer := newIdentity(t, c)
	mustSign(t, signer)
	for range 3 {
		a.stop()
		if err := signed(signer, "meanwhile"); !errors.Is(err, agent.ErrUnreachable) {
			t.Errorf("without an agent: %v, want ErrUnreachable", err)
		}
		another, err := tpm.New(process.Device())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { another.Close() })
		p.Close()
		p = another
		a.server = serverOf(p)
		a.start()
		mustSign(t, signer)
		mustUnwrap(t, c, blob)
	}
}

// An agent that came back as another kind of provider is not the agent.
func TestAgentRestartsAsAnotherKind(t *testing.T) {
	_, p := startTPM(t)
	a := serve(t, p)
	c := a.dial()
	a.stop()
	a.server = serverOf(soft.New(t.TempDir()))
	a.start()
	if _, err := c.Wrap(kek); err == nil {
		t.Error("a KEK was given to a software provider in the TPM's place")
	}
}

// A TPM that hangs: each call ends in time, whoever waits behind is told at once,
// and when it goes on so do we.
func TestTPMHangs(t *testing.T) {
	const (
		patience = 400 * time.Millisecond
		pause    = time.Second
		margin   = 300 * time.Millisecond
	)
	process, p := startTPM(t)
	a := serve(t, p)
	a.server.Hurry(patience)
	c := agent.DialImpatient(t, a.path, tpm.Reasons(), 2*patience, pause)
	blob := wrap(t, c)
	signer := newIdentity(t, c)
	mustSign(t, signer)

	process.Hang()
	begun := time.Now()
	err := signed(signer, "hung")
	if !errors.Is(err, agent.ErrSilent) || time.Since(begun) > patience+margin {
		t.Errorf("a TPM that hangs: %v after %v, want ErrSilent after %v", err, time.Since(begun), patience)
	}
	begun = time.Now()
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() {
			if err := signed(signer, "queued"); !errors.Is(err, agent.ErrPaused) || !errors.Is(err, agent.ErrSilent) {
				t.Errorf("behind it: %v, want ErrPaused because ErrSilent", err)
			}
		})
	}
	waiting.Wait()
	if took := time.Since(begun); took > margin {
		t.Errorf("twenty callers waited %v, want at once", took)
	}
	// Another client has no breaker open yet, and is told in time too.
	other := agent.DialImpatient(t, a.path, tpm.Reasons(), 2*patience, pause)
	begun = time.Now()
	if _, err := other.Unwrap(blob); !errors.Is(err, agent.ErrSilent) || time.Since(begun) > patience+margin {
		t.Errorf("another client: %v after %v, want ErrSilent", err, time.Since(begun))
	}

	process.Resume()
	deadline := time.Now().Add(pause + 5*time.Second)
	for err = signed(signer, "again"); err != nil; err = signed(signer, "again") {
		if time.Now().After(deadline) {
			t.Fatalf("it goes on, and we do not: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	mustSign(t, signer)
}

// An agent that hangs itself is a time-out too.
func TestAgentHangs(t *testing.T) {
	path := impostor(t, frame(`{"kind":"tpm"}`))
	c := agent.DialImpatient(t, path, nil, 200*time.Millisecond, time.Minute)
	begun := time.Now()
	if _, err := c.NewIdentity(); !errors.Is(err, agent.ErrSilent) || time.Since(begun) > time.Second {
		t.Errorf("%v after %v, want ErrSilent", err, time.Since(begun))
	}
	if _, err := c.NewIdentity(); !errors.Is(err, agent.ErrPaused) {
		t.Errorf("%v, want ErrPaused", err)
	}
}

// Leaving does not wait for a TPM that hangs, on either side.
func TestCloseWhileItHangs(t *testing.T) {
	process, p := startTPM(t)
	a := serve(t, p)
	c := a.dial()
	signer := newIdentity(t, c)
	process.Hang()
	ended := make(chan error, 1)
	go func() { ended <- signed(signer, "hung") }()
	time.Sleep(100 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, agent.ErrClosed) {
			t.Errorf("Sign = %v, want ErrClosed", err)
		}
	case <-time.After(2 * time.Second):
		t.Error("the call under way did not end")
	}
	a.stop() // fails the test when it takes long
	process.Resume()
}

// The TPM's power is cut behind the agent: the error is the TPM's own, and once it
// is back so are we.
func TestTPMGone(t *testing.T) {
	process, p := startTPM(t)
	c := serve(t, p).dial()
	blob := wrap(t, c)
	signer := newIdentity(t, c)
	process.Kill()
	if _, err := c.Unwrap(blob); err == nil || errors.Is(err, agent.ErrUnreachable) {
		t.Errorf("Unwrap = %v, want the TPM's own error", err)
	}
	again, err := swtpm.Start(t.Context(), filepath.Dir(process.Socket()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Stop)
	mustUnwrap(t, c, blob)
	mustSign(t, signer)
}

// A socket's file that nobody listens on is an agent that died.
func TestStaleSocket(t *testing.T) {
	a := onFile(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: a.path + "2", Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := os.Stat(a.path + "2"); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Dial(a.path+"2", nil); !errors.Is(err, agent.ErrUnreachable) {
		t.Errorf("Dial = %v, want ErrUnreachable", err)
	}
}
