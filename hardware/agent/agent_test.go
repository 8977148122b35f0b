package agent_test

import (
	"crypto"
	"errors"
	"fmt"
	"sync"
	"testing"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/node/seal"
	"relais/node/territory"
)

var place = seal.Place{Table: "helpers", Row: "a_1", Column: "name", Version: 1}

// A hub's keyring, made and opened through the agent, is one that a TPM guards.
func TestKeyring(t *testing.T) {
	_, p := startTPM(t)
	a := serve(t, p)
	dir := t.TempDir()
	k, _, err := keyring.Create(dir, a.dial())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal(seal.PurposeHelper, place, []byte("Camille"))
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	again, err := keyring.Open(dir, a.dial())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(seal.PurposeHelper, place, sealed); err != nil || string(got) != "Camille" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if again.Assurance() != territory.AssuranceTPM {
		t.Errorf("Assurance() = %q, want tpm", again.Assurance())
	}
	mustSign(t, again.Identity())

	t.Run("without the agent", func(t *testing.T) { // one that was made through it opens on the device too
		again.Close()
		direct, err := keyring.Open(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		mustSign(t, direct.Identity())
	})
	t.Run("ErrLocked ErrReplaced", func(t *testing.T) {
		_, other := startTPM(t)
		_, err := keyring.Open(dir, serve(t, other).dial())
		if !errors.Is(err, keyring.ErrLocked) || !errors.Is(err, tpm.ErrReplaced) {
			t.Errorf("Open = %v, want ErrLocked because ErrReplaced", err)
		}
	})
}

func TestIdentitySignsConcurrently(t *testing.T) {
	_, p := startTPM(t)
	a := serve(t, p)
	first, second := a.dial(), a.dial()
	blob := wrap(t, first)
	id, err := first.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i, c := range []keyring.Provider{first, second} {
		signer, err := c.LoadIdentity(id)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 8 {
			group.Go(func() {
				for n := range 8 {
					if err := signed(signer, fmt.Sprint(i, j, n)); err != nil {
						t.Errorf("client %d, signer %d: %v", i, j, err)
					}
				}
				if got, err := c.Unwrap(blob); err != nil || string(got) != string(kek) {
					t.Errorf("client %d, unwrap %d: %v", i, j, err)
				}
			})
		}
	}
	group.Wait()
}

// A TPM holds three objects, and the agent outlives its hubs: identities made one
// after the other do not fill it, and each still signs.
func TestIdentitiesDoNotFillTheTPM(t *testing.T) {
	_, p := startTPM(t)
	c := serve(t, p).dial()
	var all []crypto.Signer
	for range 6 {
		all = append(all, newIdentity(t, c))
	}
	for range 2 {
		for _, signer := range all {
			mustSign(t, signer)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	signer := newIdentity(t, onFile(t).dial())
	for name, c := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
	}{
		"ErrOtherHash": {make([]byte, 48), crypto.SHA384},
		"ErrShort":     {make([]byte, 31), nil},
		"ErrLong":      {make([]byte, 33), crypto.SHA256},
		"ErrNoDigest":  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := signer.Sign(nil, c.digest, c.opts); err == nil {
				t.Error("it signed")
			}
		})
	}
	mustSign(t, signer)
}

// The agent is the provider it wraps, whatever it is.
func TestKind(t *testing.T) {
	if kind := onFile(t).dial().Kind(); kind != keyring.KindSoftware {
		t.Errorf("Kind() = %q, want software", kind)
	}
}
