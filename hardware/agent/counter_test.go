package agent_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"relais/hardware/agent"
	"relais/hardware/keyring"
	"relais/hardware/tpm"
)

var _ keyring.Counting = (*agent.Client)(nil)

// A counter through the agent is the TPM's own, whoever asks.
func TestCounter(t *testing.T) {
	_, p := startTPM(t)
	a := serve(t, p)
	c := a.dial()
	blob, err := c.NewCounter()
	if err != nil {
		t.Fatal(err)
	}
	begun, err := c.ReadCounter(blob)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // asked again, it counts once
		if got, err := c.RaiseCounter(blob, begun.Value+1); err != nil || got.Value != begun.Value+1 || !bytes.Equal(got.Place, begun.Place) {
			t.Errorf("RaiseCounter = %+v, %v; begun as %+v", got, err, begun)
		}
		a.stop() // the agent restarts meanwhile
		a.server = serverOf(p)
		a.start()
	}
	if direct, err := p.ReadCounter(blob); err != nil || direct.Value != begun.Value+1 {
		t.Errorf("on the device %+v, %v", direct, err)
	}
}

// uncounted is a provider that cannot count, and one whose counter fails.
type uncounted struct{ keyring.Provider }

type miscounting struct {
	keyring.Provider
	err error
}

func (m *miscounting) NewCounter() ([]byte, error)               { return nil, m.err }
func (m *miscounting) ReadCounter([]byte) (keyring.Count, error) { return keyring.Count{}, m.err }

func (m *miscounting) RaiseCounter(_ []byte, _ uint64) (keyring.Count, error) {
	return keyring.Count{}, m.err
}

func TestCounterErrors(t *testing.T) {
	all := func(t *testing.T, c *agent.Client, want error) {
		t.Helper()
		_, made := c.NewCounter()
		_, read := c.ReadCounter([]byte("blob"))
		_, raised := c.RaiseCounter([]byte("blob"), 7)
		for _, err := range []error{made, read, raised} {
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
	}
	t.Run("ErrNoCounter", func(t *testing.T) {
		all(t, serve(t, uncounted{onFile(t).dial()}).dial(), keyring.ErrNoCounter)
	})
	for _, want := range []error{keyring.ErrNoCounter, keyring.ErrCounterMissing, keyring.ErrCounterChanged, tpm.ErrOwnerAuth, tpm.ErrStorageFull, tpm.ErrCleared} {
		t.Run(want.Error(), func(t *testing.T) {
			all(t, serve(t, &miscounting{onFile(t).dial(), fmt.Errorf("TPM: read counter: %w", want)}).dial(), want)
		})
	}
	t.Run("ErrMalformed", func(t *testing.T) { // an answer that holds no count
		greeting := frame(`{"kind":"tpm"}`)
		c, err := agent.Dial(impostor(t, append(greeting, frame(`{"data":"AAAA"}`)...)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.ReadCounter([]byte("blob")); !errors.Is(err, agent.ErrMalformed) {
			t.Errorf("ReadCounter = %+v, %v", got, err)
		}
	})
}
