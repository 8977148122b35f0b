package tpm_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
	"relais/node/seal"
	"relais/node/territory"
)

var _ keyring.Provider = (*tpm.Provider)(nil)

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
		rescued, err := keyring.OpenWithRecovery(dir, p, code)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rescued.Open(seal.PurposeHelper, place, sealed); err != nil || string(got) != "Camille" {
			t.Errorf("Open after recovery = %q, %v", got, err)
		}
		if _, err := rescued.Identity().Sign(nil, make([]byte, 32), nil); !errors.Is(err, keyring.ErrNoIdentity) {
			t.Errorf("Sign after recovery = %v, want ErrNoIdentity", err)
		}
	})
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

func TestRootWhoseHandleWasRemoved(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	p.Close()
	evictRoot(t, process)
	mustUnwrap(t, open(t, process.Device()), blob)
}

func evictRoot(t testing.TB, process *swtpm.Process) {
	t.Helper()
	conn := raw(t, process)
	defer conn.Close()
	read, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(0x81000001)}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tpm2.EvictControl{
		Auth:             tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		ObjectHandle:     tpm2.NamedHandle{Handle: 0x81000001, Name: read.Name},
		PersistentHandle: 0x81000001,
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}

// Some machines come with another key at the root's place: ours is then made
// anew at each start.
func TestRootWhosePlaceIsTaken(t *testing.T) {
	process, _ := start(t)
	conn := raw(t, process)
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.RSASRKTemplate)}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	persist(t, conn, made, nil)
	conn.Close()
	p := open(t, process.Device())
	blob := wrap(t, p)
	id, err := p.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	again := open(t, process.Device())
	mustUnwrap(t, again, blob)
	signer, err := again.LoadIdentity(id)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, signer)
}

func persist(t testing.TB, conn transport.TPM, made *tpm2.CreatePrimaryResponse, ownerAuth []byte) {
	t.Helper()
	_, err := tpm2.EvictControl{
		Auth:             tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(ownerAuth)},
		ObjectHandle:     tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name},
		PersistentHandle: 0x81000001,
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
}

func TestOwnerPassword(t *testing.T) {
	process, _ := start(t)
	conn := raw(t, process)
	made, err := tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	password := []byte("proprietaire")
	_, err = tpm2.HierarchyChangeAuth{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		NewAuth:    tpm2.TPM2BAuth{Buffer: password},
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("ErrOwnerAuth", func(t *testing.T) {
		conn.Close()
		if _, err := open(t, process.Device()).Wrap(kek); !errors.Is(err, tpm.ErrOwnerAuth) || !strings.Contains(err.Error(), "tpm2_changeauth") {
			t.Errorf("Wrap = %v, want ErrOwnerAuth and the remedy", err)
		}
	})
	t.Run("root provisioned by its owner", func(t *testing.T) {
		conn := raw(t, process)
		made, err = tpm2.CreatePrimary{
			PrimaryHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(password)},
			InPublic:      tpm2.New2B(tpm2.ECCSRKTemplate),
		}.Execute(conn)
		if err != nil {
			t.Fatal(err)
		}
		persist(t, conn, made, password)
		conn.Close()
		p := open(t, process.Device())
		mustUnwrap(t, p, wrap(t, p))
	})
}

func TestNewRefuses(t *testing.T) {
	t.Run("ErrRawDevice", func(t *testing.T) {
		if _, err := tpm.New("/dev/tpm0"); !errors.Is(err, tpm.ErrRawDevice) || !strings.Contains(err.Error(), tpm.DefaultDevice) {
			t.Errorf("New = %v, want ErrRawDevice and the device to use", err)
		}
	})
	for _, name := range []string{"tpmrm0", "unix:", "unix:tpm.sock", "tcp:127.0.0.1:2321"} {
		t.Run("ErrName "+name, func(t *testing.T) {
			if _, err := tpm.New(name); err == nil {
				t.Error("it was taken")
			}
		})
	}
	for _, name := range []string{"", "/dev/tpmrm0", "/dev/tpmrm1", "unix:/run/tpm.sock"} {
		if _, err := tpm.New(name); err != nil {
			t.Errorf("New(%q): %v", name, err)
		}
	}
}
