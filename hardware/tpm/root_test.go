package tpm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"relais/hardware/tpm"
	"relais/hardware/tpm/swtpm"
)

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
	takeRootPlace(t, process)
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

func mustBeImpostor(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, tpm.ErrReplaced) {
		t.Errorf("Unwrap = %v, want ErrReplaced", err)
	}
}

// Whoever stands on the bus may answer with a root key of his own, whose private
// half he knows, or with the pinned one's public area before another TPM.
func TestForgedRoot(t *testing.T) {
	const readPublic = 0x173
	t.Run("ErrReplaced its own key", func(t *testing.T) {
		genuine, _ := start(t)
		blob := wrapOn(t, genuine.Device())
		forger, _ := start(t)
		wrapOn(t, forger.Device())
		bus := newTap(t, forger, nil)
		_, err := open(t, bus.device()).Unwrap(blob)
		mustBeImpostor(t, err)
	})
	t.Run("ErrReplaced the pinned key shown", func(t *testing.T) {
		genuine, _ := start(t)
		watch := newTap(t, genuine, nil)
		first := open(t, watch.device())
		blob := wrap(t, first)
		mustUnwrap(t, first, blob)
		var shown []byte
		for i, command := range watch.commands {
			if code(command) == readPublic && code(watch.replies[i]) == 0 {
				shown = watch.replies[i]
			}
		}
		if shown == nil {
			t.Fatal("the root was never read")
		}
		forger, _ := start(t)
		wrapOn(t, forger.Device())
		bus := newTap(t, forger, func(command []byte) ([]byte, bool) { return shown, code(command) == readPublic })
		_, err := open(t, bus.device()).Unwrap(blob)
		mustBeImpostor(t, err)
	})
}
