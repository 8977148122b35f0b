package tpm_test

import (
	"bytes"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm/swtpm"
)

func TestTheKEKNeverCrossesTheBusInClear(t *testing.T) {
	process, _ := start(t)
	bus := newTap(t, process, nil)
	p := open(t, bus.device())
	blob := wrap(t, p)
	mustUnwrap(t, p, blob)
	if bus.count() == 0 {
		t.Fatal("nothing was heard")
	}
	for half := range 2 {
		if bus.heard(kek[16*half : 16*half+16]) {
			t.Error("the KEK was heard on the bus")
		}
	}
}

// The twin: the same through a plain session is heard, at sealing and at
// unsealing. So it is the encrypted session that keeps it.
func TestAPlainSessionIsHeard(t *testing.T) {
	process, _ := start(t)
	bus := newTap(t, process, nil)
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(bus)
	if err != nil {
		t.Fatal(err)
	}
	parent := tpm2.AuthHandle{Handle: made.ObjectHandle, Name: made.Name, Auth: tpm2.PasswordAuth(nil)}
	sealed, err := plainSeal(bus, parent)
	if err != nil {
		t.Fatal(err)
	}
	if !bus.heard(kek) {
		t.Error("a plain seal was not heard: the tap is deaf")
	}
	bus.forget()
	if got, err := plainUnseal(bus, parent, sealed); err != nil || !bytes.Equal(got, kek) {
		t.Fatalf("unseal = %q, %v", got, err)
	}
	if !bus.heard(kek) {
		t.Error("a plain unseal was not heard: the tap is deaf")
	}
}

// Opening a hub is at most ten commands, on silicon each may take tenths of a
// second, even after a crash that left the identity loaded.
func TestStartIsAtMostTenCommands(t *testing.T) {
	process, _ := start(t)
	blob := wrapOn(t, process.Device())
	first := open(t, process.Device())
	id, _ := newIdentity(t, first)
	first.Close()
	for name, before := range map[string]func(){"after a stop": func() {}, "after a crash": func() { leaveOneLoaded(t, process) }} {
		t.Run(name, func(t *testing.T) {
			before()
			bus := newTap(t, process, nil)
			p := open(t, bus.device())
			defer p.Close()
			mustUnwrap(t, p, blob)
			signer, err := p.LoadIdentity(id)
			if err != nil {
				t.Fatal(err)
			}
			if n := bus.count(); n > 10 {
				t.Errorf("a start took %d commands, want at most 10", n)
			}
			bus.forget()
			if _, err := signer.Sign(nil, make([]byte, 32), nil); err != nil || bus.count() != 1 {
				t.Errorf("a signature took %d commands (%v), want 1", bus.count(), err)
			}
		})
	}
}

func leaveOneLoaded(t testing.TB, process *swtpm.Process) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	_, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}
