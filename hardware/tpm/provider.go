package tpm

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
)

// Provider keeps a hub's key in a TPM. It satisfies keyring.Provider, and is
// safe for concurrent use: one operation at a time reaches the TPM.
type Provider struct {
	mu     sync.Mutex // guards all below, over each operation
	wire   wire
	closed bool
	// connections counts those made: what was loaded on an earlier one is gone.
	connections int
	verified    root             // persistent, and read on this connection; zero until then
	kept        []tpm2.TPMHandle // loaded on this connection, and left so
}

// New returns the provider of a device: an absolute path such as /dev/tpmrm0, a
// software TPM's socket as unix:/path, or "" for DefaultDevice. It opens
// nothing. Errors: a name that is neither, ErrRawDevice.
func New(name string) (*Provider, error) { return newProvider(name, commandTimeout) }

func newProvider(name string, timeout time.Duration) (*Provider, error) {
	d, err := parseDevice(name)
	if err != nil {
		return nil, err
	}
	return &Provider{wire: wire{device: d, timeout: timeout}}, nil
}

// Kind is keyring.KindTPM.
func (p *Provider) Kind() keyring.Kind { return keyring.KindTPM }

// Close lets go of the device. Identities no longer sign.
func (p *Provider) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.unmanaged() {
		for _, handle := range p.kept {
			p.flush(handle)
		}
	}
	p.wire.drop()
	return nil
}

// do runs one operation, of several commands, and names it in its error. When
// the connection it had turns out to be dead (the TPM restarted while idle), it
// runs again on a fresh one; a TPM that stays silent is not asked twice.
func (p *Provider) do(step string, operation func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return explain(step, ErrClosed)
	}
	hadOne := p.wire.conn != nil
	err := p.attempt(operation)
	if hadOne && errors.Is(err, ErrSilent) && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = p.attempt(operation)
	}
	return explain(step, err)
}

func (p *Provider) attempt(operation func() error) error {
	if p.wire.conn == nil {
		if err := p.connect(); err != nil {
			return err
		}
	}
	return operation()
}

func (p *Provider) connect() error {
	if err := p.wire.connect(); err != nil {
		return err
	}
	p.connections++
	p.verified, p.kept = root{}, nil
	if p.unmanaged() {
		return p.flushLeftovers()
	}
	return nil
}

// unmanaged tells whether there is no resource manager before the TPM. The
// kernel's unloads what was loaded through a file when that file is closed.
func (p *Provider) unmanaged() bool {
	_, software := p.wire.device.socket()
	return software
}

// flushLeftovers unloads what a process of ours that was killed left on a
// software TPM, which is the hub's alone and holds three objects and three
// sessions in all.
func (p *Provider) flushLeftovers() error {
	for _, first := range []tpm2.TPMHT{tpm2.TPMHTTransient, tpm2.TPMHTLoadedSession} {
		list, err := tpm2.GetCapability{
			Capability: tpm2.TPMCapHandles, Property: uint32(first) << 24, PropertyCount: 16,
		}.Execute(&p.wire)
		if err != nil {
			return err
		}
		handles, err := list.CapabilityData.Data.Handles()
		if err != nil {
			return err
		}
		for _, handle := range handles.Handle {
			p.flush(handle)
		}
	}
	return nil
}

// flush unloads an object or a session. It returns nothing: if it fails the
// connection is gone, and the object with it.
func (p *Provider) flush(handle tpm2.TPMHandle) {
	tpm2.FlushContext{FlushHandle: handle}.Execute(&p.wire)
}
