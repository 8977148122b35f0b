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
