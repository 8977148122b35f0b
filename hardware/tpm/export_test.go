package tpm

import (
	"testing"
	"time"
)

// NewImpatient is New with a shorter wait for each command.
func NewImpatient(t testing.TB, name string, wait time.Duration) *Provider {
	p, err := newProvider(name, wait)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// NewOnFile is a provider that talks to an open file as to a character device.
func NewOnFile(t testing.TB, fd int, wait time.Duration) *Provider {
	p := NewImpatient(t, DefaultDevice, wait)
	p.wire.conn, p.connections = &character{fd}, 1
	return p
}

// Receive reads one reply from an open file as from a character device.
func Receive(fd int, wait time.Duration) ([]byte, error) {
	return (&character{fd}).Receive(time.Now().Add(wait))
}

// ExplainOpen is what New's provider says of a device that does not open.
func ExplainOpen(err error) error { return explainOpen(DefaultDevice, err) }
