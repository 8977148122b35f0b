package agent_test

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/soft"
	"relais/hardware/tpm"
)

// failing is a provider whose Unwrap fails as told.
type failing struct {
	*soft.Provider
	err error
}

func (f *failing) Unwrap([]byte) ([]byte, error)              { return nil, f.err }
func (f *failing) LoadIdentity([]byte) (crypto.Signer, error) { return nil, f.err }

// What a provider says means the same on the other side, with its text.
func TestErrorsKeepTheirMeaning(t *testing.T) {
	p := &failing{Provider: soft.New(t.TempDir())}
	c := serve(t, p).dial()
	known := map[string]error{
		"keyring locked": keyring.ErrLocked, "deadline": os.ErrDeadlineExceeded,
		"no counter": keyring.ErrNoCounter, "counter missing": keyring.ErrCounterMissing, "counter changed": keyring.ErrCounterChanged,
	}
	for name, err := range tpm.Reasons() {
		known["tpm "+name] = err
	}
	for name, want := range known {
		t.Run(name, func(t *testing.T) {
			fresh := agent.DialImpatient(t, serve(t, p).path, tpm.Reasons(), time.Minute, 0) // a breaker of its own
			p.err = fmt.Errorf("TPM: unseal: %w (0x%x)", want, 0x922)
			_, err := fresh.Unwrap([]byte("blob"))
			if !errors.Is(err, want) || !strings.Contains(err.Error(), p.err.Error()) {
				t.Errorf("Unwrap = %v, want %v", err, p.err)
			}
			for other, unsaid := range known {
				if other != name && errors.Is(err, unsaid) {
					t.Errorf("Unwrap = %v, which is also %v", err, unsaid)
				}
			}
			if signer, err := fresh.LoadIdentity([]byte("blob")); !errors.Is(err, want) || signer != nil {
				t.Errorf("LoadIdentity = %v, want %v", err, want)
			}
		})
	}
	t.Run("several", func(t *testing.T) {
		p.err = fmt.Errorf("%w: %w", tpm.ErrOwnerAuth, tpm.ErrBusy)
		if _, err := c.Unwrap([]byte("blob")); !errors.Is(err, tpm.ErrOwnerAuth) || !errors.Is(err, tpm.ErrBusy) {
			t.Errorf("Unwrap = %v, want both", err)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		p.err = errors.New("TPM: unseal: TPM_RC_SIGNATURE")
		if _, err := c.Unwrap([]byte("blob")); err == nil || !strings.Contains(err.Error(), "TPM_RC_SIGNATURE") {
			t.Errorf("Unwrap = %v, want its text", err)
		}
	})
	t.Run("endless", func(t *testing.T) {
		p.err = errors.New(strings.Repeat("\x00", 1<<20))
		if _, err := c.Unwrap([]byte("blob")); err == nil || len(err.Error()) > agent.MaxFrame {
			t.Errorf("Unwrap = %.60v…", err)
		}
	})
}
