package tpm_test

import (
	"errors"
	"net"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm"
)

// killRounds power cuts: the hub comes back each time, and the TPM's lockout
// counter stays where it was.
const killRounds = 10

func TestPowerCuts(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	id, signer := newIdentity(t, p)
	for round := range killRounds {
		mustUnwrap(t, p, blob)
		sign(t, signer)
		process.Kill()
		if _, err := p.Unwrap(blob); err == nil {
			t.Fatalf("round %d: a dead TPM unsealed", round)
		}
		process = startIn(t, dir)
		sign(t, signer) // loaded again by itself
	}
	p.Close()
	conn := raw(t, process)
	if n := property(t, conn, tpm2.TPMPTLockoutCounter); n != 0 {
		t.Errorf("lockout counter %d after %d power cuts, want 0", n, killRounds)
	}
	conn.Close()
	again := open(t, process.Device())
	mustUnwrap(t, again, blob)
	if _, err := again.LoadIdentity(id); err != nil {
		t.Error(err)
	}
}

// The twin: an object under the dictionary-attack rule counts each cut, and
// three lock the TPM without one wrong password. Ours still opens then.
func TestPowerCutsOnADAObject(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	_, signer := newIdentity(t, p)
	for range 4 {
		p.Close()
		useDAObject(t, process.Socket())
		process.Kill()
		process = startIn(t, dir)
		p = open(t, process.Device())
	}
	mustUnwrap(t, p, blob)
	p.Close()
	conn := raw(t, process)
	if n := property(t, conn, tpm2.TPMPTLockoutCounter); n < 3 {
		t.Errorf("a DA object counted %d of 4 cuts: the test before shows nothing", n)
	}
	conn.Close()
	if _, err := signer.Sign(nil, make([]byte, 32), nil); !errors.Is(err, tpm.ErrClosed) {
		t.Error(err)
	}
}

// A TPM that restarts while nothing is asked of it is not noticed.
func TestRestartWhileIdle(t *testing.T) {
	process, dir := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	_, signer := newIdentity(t, p)
	process.Kill()
	startIn(t, dir)
	mustUnwrap(t, p, blob)
	sign(t, signer)
}

// useDAObject authorises one object that the dictionary-attack rule protects.
func useDAObject(t *testing.T, socket string) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	bus := sender{conn}
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(bus)
	if err != nil {
		t.Fatal(err)
	}
	parent := tpm2.AuthHandle{Handle: made.ObjectHandle, Name: made.Name, Auth: tpm2.PasswordAuth(nil)}
	pin := []byte("motdepasse")
	sealed, err := tpm2.Create{
		ParentHandle: parent,
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			UserAuth: tpm2.TPM2BAuth{Buffer: pin},
			Data:     tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: kek}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true},
		}),
	}.Execute(bus)
	if err != nil {
		t.Fatal(err)
	}
	object, err := tpm2.Load{ParentHandle: parent, InPrivate: sealed.OutPrivate, InPublic: sealed.OutPublic}.Execute(bus)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // TPM_RC_RETRY first, TPM_RC_LOCKOUT once there
		_, err = tpm2.Unseal{
			ItemHandle: tpm2.AuthHandle{Handle: object.ObjectHandle, Name: object.Name, Auth: tpm2.PasswordAuth(pin)},
		}.Execute(bus)
		if err == nil || errors.Is(err, tpm2.TPMRCLockout) {
			return
		}
	}
	t.Fatal(err)
}

// sender is a connection as a go-tpm transport.
type sender struct{ net.Conn }

func (s sender) Send(command []byte) ([]byte, error) { return ask(s, command) }
