package tpm_test

import (
	"bytes"
	"context"
	"os"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"

	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
	"relais/node/seal"
)

var (
	kek   = []byte("0123456789abcdef0123456789ABCDEF")
	place = seal.Place{Table: "helpers", Row: "a_1", Column: "name", Version: 1}
)

// start runs a software TPM of its own for one test, in a short folder: a unix
// address has 107 octets.
func start(t testing.TB) (*swtpm.Process, string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return startIn(t, dir), dir
}

func startIn(t testing.TB, dir string) *swtpm.Process {
	t.Helper()
	process, err := swtpm.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
	return process
}

// open returns a provider of a device, closed at the end of the test.
func open(t testing.TB, device string) *tpm.Provider {
	t.Helper()
	p, err := tpm.New(device)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func wrap(t testing.TB, p *tpm.Provider) []byte {
	t.Helper()
	blob, err := p.Wrap(kek)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// wrapOn wraps as an earlier run of the hub did, which let go of the device.
func wrapOn(t testing.TB, device string) []byte {
	t.Helper()
	p := open(t, device)
	defer p.Close()
	return wrap(t, p)
}

func mustUnwrap(t testing.TB, p *tpm.Provider, blob []byte) {
	t.Helper()
	if got, err := p.Unwrap(blob); err != nil || !bytes.Equal(got, kek) {
		t.Fatalf("Unwrap = %q, %v", got, err)
	}
}

// raw talks to a software TPM as another program would, once the provider let go
// of its one connection.
func raw(t testing.TB, process *swtpm.Process) transport.TPMCloser {
	t.Helper()
	conn, err := linuxudstpm.Open(process.Socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func property(t testing.TB, conn transport.TPM, property tpm2.TPMPT) uint32 {
	t.Helper()
	got, err := tpm2.GetCapability{
		Capability: tpm2.TPMCapTPMProperties, Property: uint32(property), PropertyCount: 1,
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	list, err := got.CapabilityData.Data.TPMProperties()
	if err != nil || len(list.TPMProperty) != 1 {
		t.Fatalf("property %#x: %v", property, err)
	}
	return list.TPMProperty[0].Value
}

// loaded counts the objects and sessions the TPM holds.
func loaded(t testing.TB, conn transport.TPM) (n int) {
	t.Helper()
	for _, first := range []uint32{0x80000000, 0x02000000} {
		got, err := tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first, PropertyCount: 16}.Execute(conn)
		if err != nil {
			t.Fatal(err)
		}
		handles, err := got.CapabilityData.Data.Handles()
		if err != nil {
			t.Fatal(err)
		}
		n += len(handles.Handle)
	}
	return n
}

// clearTPM is what a firmware menu does.
func clearTPM(t testing.TB, process *swtpm.Process) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	_, err := tpm2.Clear{AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHLockout, Auth: tpm2.PasswordAuth(nil)}}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}

func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
