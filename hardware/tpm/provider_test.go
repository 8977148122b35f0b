package tpm_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/node/seal"
	"relais/node/territory"
)

var _ keyring.Provider = (*tpm.Provider)(nil)

func TestWrapThenUnwrap(t *testing.T) {
	process, _ := start(t)
	first := open(t, process.Device())
	blob := wrap(t, first)
	if bytes.Contains(blob, kek) {
		t.Error("the slot holds the KEK in clear")
	}
	mustUnwrap(t, first, blob)
	first.Close()
	mustUnwrap(t, open(t, process.Device()), blob)
}

func TestKeyring(t *testing.T) {
	process, _ := start(t)
	dir := t.TempDir()
	k, code, err := keyring.Create(dir, open(t, process.Device()))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal(seal.PurposeHelper, place, []byte("Camille"))
	if err != nil {
		t.Fatal(err)
	}
	k.Close()
	again, err := keyring.Open(dir, open(t, process.Device()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(seal.PurposeHelper, place, sealed); err != nil || string(got) != "Camille" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if again.Assurance() != territory.AssuranceTPM {
		t.Errorf("Assurance() = %q, want tpm", again.Assurance())
	}
	sign(t, again.Identity())

	t.Run("recovery after a clear", func(t *testing.T) {
		again.Close()
		clearTPM(t, process)
		p := open(t, process.Device())
		_, err := keyring.Open(dir, p)
		if !errors.Is(err, keyring.ErrLocked) || !errors.Is(err, tpm.ErrCleared) {
			t.Errorf("Open = %v, want ErrLocked because ErrCleared", err)
		}
		rescued, err := keyring.Recover(dir, p, code)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rescued.Open(seal.PurposeHelper, place, sealed); err != nil || string(got) != "Camille" {
			t.Errorf("Open after recovery = %q, %v", got, err)
		}
		sign(t, rescued.Identity())
		rescued.Close()
		opened, err := keyring.Open(dir, open(t, process.Device()))
		if err != nil {
			t.Fatal(err)
		}
		sign(t, opened.Identity())
	})
}

func TestUnwrapRefuses(t *testing.T) {
	t.Run("ErrCleared", func(t *testing.T) {
		process, _ := start(t)
		p := open(t, process.Device())
		blob := wrap(t, p)
		p.Close()
		clearTPM(t, process)
		if _, err := open(t, process.Device()).Unwrap(blob); !errors.Is(err, tpm.ErrCleared) || !strings.Contains(err.Error(), "recovery code") {
			t.Errorf("Unwrap = %v, want ErrCleared and the remedy", err)
		}
	})
	t.Run("ErrReplaced", func(t *testing.T) {
		process, _ := start(t)
		other, _ := start(t)
		blob := wrap(t, open(t, process.Device()))
		fresh := open(t, other.Device())
		if _, err := fresh.Unwrap(blob); !errors.Is(err, tpm.ErrReplaced) {
			t.Errorf("a fresh TPM: Unwrap = %v, want ErrReplaced", err)
		}
		wrap(t, fresh) // its own root is persistent now
		if _, err := fresh.Unwrap(blob); !errors.Is(err, tpm.ErrReplaced) {
			t.Errorf("a TPM in use: Unwrap = %v, want ErrReplaced", err)
		}
	})
	t.Run("ErrAltered", func(t *testing.T) {
		process, _ := start(t)
		p := open(t, process.Device())
		blob := wrap(t, p)
		at := bytes.Index(blob, []byte(`"private":"`)) + 60
		blob[at] ^= 1
		if _, err := p.Unwrap(blob); !errors.Is(err, tpm.ErrAltered) {
			t.Errorf("Unwrap = %v, want ErrAltered", err)
		}
		if _, err := p.Unwrap([]byte("{")); !errors.Is(err, tpm.ErrAltered) {
			t.Errorf("Unwrap of no blob = %v, want ErrAltered", err)
		}
	})
	t.Run("ErrClosed", func(t *testing.T) {
		process, _ := start(t)
		p := open(t, process.Device())
		blob := wrap(t, p)
		p.Close()
		if _, err := p.Unwrap(blob); !errors.Is(err, tpm.ErrClosed) {
			t.Errorf("Unwrap = %v, want ErrClosed", err)
		}
	})
}

// However it fails, nothing stays loaded: a TPM holds three of each.
func TestNothingStaysLoaded(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	good := wrap(t, p)
	bad := bytes.Clone(good)
	bad[bytes.Index(bad, []byte(`"private":"`))+60] ^= 1
	for range 8 {
		p.Unwrap(bad)
		mustUnwrap(t, p, good)
		wrap(t, p)
	}
	p.Close()
	if n := loaded(t, raw(t, process)); n != 0 {
		t.Errorf("%d objects and sessions stay loaded", n)
	}
}

// A program that was killed leaves its objects in a software TPM; the next start
// unloads them. The twin fills the TPM and sees it refuse another program.
func TestLeftoversAreFlushed(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	p.Close()
	conn := raw(t, process)
	var full error
	for range 4 {
		_, full = tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(conn)
		if _, _, err := tpm2.HMACSession(conn, tpm2.TPMAlgSHA256, 16); err != nil {
			t.Log(err)
		}
	}
	if !errors.Is(full, tpm2.TPMRCObjectMemory) {
		t.Fatalf("the TPM is not full: %v", full)
	}
	conn.Close()
	mustUnwrap(t, open(t, process.Device()), blob)
}
