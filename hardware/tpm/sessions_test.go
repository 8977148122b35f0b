package tpm_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
)

const ccFlushContext = 0x165

// failing has the TPM fail at one command of an operation: it has no memory, it
// says. What is unloaded is never refused.
type failing struct {
	*tap
	*census
	at, seen int // at 0: nothing fails
	met      bool
}

func newFailing(t testing.TB, process *swtpm.Process) *failing {
	t.Helper()
	f := &failing{census: &census{}}
	f.tap = newTap(t, process, func(command []byte) ([]byte, bool) {
		f.census.mu.Lock()
		defer f.census.mu.Unlock()
		f.seen++
		if f.seen != f.at || code(command) == ccFlushContext {
			return nil, false
		}
		f.met = true
		return rcReply(0x904), true // TPM_RC_MEMORY
	})
	f.onReply(func(_ []byte, conn net.Conn) { f.take(conn) })
	return f
}

// arm has the next commands counted from one, and the at-th fail.
func (f *failing) arm(at int) {
	f.census.mu.Lock()
	defer f.census.mu.Unlock()
	f.at, f.seen, f.met = at, 0, false
}

// left is how many sessions are open after the last command, how many commands
// there were, and whether one was made to fail.
func (f *failing) left() (sessions, seen int, met bool) {
	f.census.mu.Lock()
	defer f.census.mu.Unlock()
	return f.sessions, f.seen, f.met
}

// TestNoSessionStaysOpen: after each thing that a provider does no session is
// open, and none either when the TPM fails at any one of its commands.
func TestNoSessionStaysOpen(t *testing.T) {
	process, _ := start(t)
	bus := newFailing(t, process)
	p := open(t, bus.device())
	good, counter := wrap(t, p), newCounter(t, p)
	id, _ := newIdentity(t, p)
	p.Close()
	for name, do := range map[string]func(*tpm.Provider) error{
		"Wrap":        func(p *tpm.Provider) error { _, err := p.Wrap(kek); return err },
		"Unwrap":      func(p *tpm.Provider) error { _, err := p.Unwrap(good); return err },
		"NewIdentity": func(p *tpm.Provider) error { _, err := p.NewIdentity(); return err },
		"NewCounter":  func(p *tpm.Provider) error { _, err := p.NewCounter(); return err },
		"ReadCounter": func(p *tpm.Provider) error { _, err := p.ReadCounter(counter); return err },
		"RaiseCounter": func(p *tpm.Provider) error {
			is, err := p.ReadCounter(counter)
			if err == nil {
				_, err = p.RaiseCounter(counter, is.Value+1)
			}
			return err
		},
		"Examine": func(p *tpm.Provider) error { _, err := p.Examine(); return err },
		"Sign": func(p *tpm.Provider) error {
			signer, err := p.LoadIdentity(id)
			if err == nil {
				_, err = signer.Sign(nil, make([]byte, 32), nil)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			failures := 0
			for at := 0; ; at++ {
				p := open(t, bus.device())
				bus.arm(at)
				err := do(p)
				sessions, seen, met := bus.left()
				p.Close()
				if sessions != 0 {
					t.Errorf("command %d failed (%v): %d sessions stay open", at, err, sessions)
				}
				if at == 0 && err != nil {
					t.Fatal(err)
				}
				if met && err != nil {
					failures++
				}
				if at > seen {
					break
				}
			}
			if failures == 0 {
				t.Error("no command was made to fail")
			}
		})
	}
}

// The twin: a session that is made just in time with a policy, and whose policy
// fails, stays open, and is seen.
func TestASessionLeftOpenIsSeen(t *testing.T) {
	process, _ := start(t)
	bus := newFailing(t, process)
	conn, err := net.Dial("unix", bus.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(sender{conn})
	if err != nil {
		t.Fatal(err)
	}
	refused := fmt.Errorf("this policy does not hold")
	for n := range 2 {
		_, err = tpm2.Unseal{ItemHandle: tpm2.AuthHandle{
			Handle: made.ObjectHandle, Name: made.Name,
			Auth: tpm2.Policy(tpm2.TPMAlgSHA256, 16, func(_ transport.TPM, _ tpm2.TPMISHPolicy, _ tpm2.TPM2BNonce) error { return refused }),
		}}.Execute(sender{conn})
		if err == nil || !strings.Contains(err.Error(), refused.Error()) {
			t.Fatal(err)
		}
		if sessions, _, _ := bus.left(); sessions != n+1 {
			t.Errorf("after %d: %d sessions are seen", n+1, sessions)
		}
	}
}
