package tpm_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"relais/hardware/keyring"
	"relais/hardware/tpm"
)

var _ keyring.Examiner = (*tpm.Provider)(nil)

func examine(t testing.TB, device string) keyring.Condition {
	t.Helper()
	p := open(t, device)
	defer p.Close()
	k, err := p.Examine()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestExamine(t *testing.T) {
	process, _ := start(t)
	bus := newTap(t, process, nil)
	p := open(t, bus.device())
	k, err := p.Examine()
	if err != nil || k.Family != "2.0" || k.Manufacturer == "" || k.OwnerAuth || k.Lockout || k.MaxFailures == 0 {
		t.Errorf("a new TPM: %+v, %v", k, err)
	}
	bus.forget()
	if _, err := p.Examine(); err != nil || bus.count() != 2 {
		t.Errorf("it took %d commands, want 2: %v", bus.count(), err)
	}
	if sent := p.Commands(); sent < 4 {
		t.Errorf("%d commands counted", sent)
	}
}

func TestExamineOwnerPassword(t *testing.T) {
	process, _ := start(t)
	conn := raw(t, process)
	_, err := tpm2.HierarchyChangeAuth{
		AuthHandle: tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(nil)},
		NewAuth:    tpm2.TPM2BAuth{Buffer: []byte("proprietaire")},
	}.Execute(conn)
	conn.Close()
	if k := examine(t, process.Device()); err != nil || !k.OwnerAuth || k.Lockout {
		t.Errorf("%+v, %v", k, err)
	}
}

// A program that gives wrong passwords locks the TPM for those who use passwords.
// We say so, and for how long; the hub, which uses none, opens all the same. The
// twin is the program itself, which its right password no longer opens.
func TestExamineLockout(t *testing.T) {
	process, _ := start(t)
	blob := wrapOn(t, process.Device())
	conn := raw(t, process)
	program := guardedObject(t, conn, "juste")
	for range 40 {
		if err := useGuarded(conn, program, "faux"); errors.Is(err, tpm2.TPMRCLockout) {
			break
		}
	}
	if err := useGuarded(conn, program, "juste"); !errors.Is(err, tpm2.TPMRCLockout) {
		t.Fatalf("the TPM is not in lockout: %v", err)
	}
	conn.Close()
	k := examine(t, process.Device())
	if !k.Lockout || k.Failures < k.MaxFailures || k.RecoversIn < time.Second || k.RecoversIn > 24*time.Hour {
		t.Errorf("%+v", k)
	}
	mustUnwrap(t, open(t, process.Device()), blob)
}

// guardedObject makes an object under the dictionary-attack rule, as ours are not.
func guardedObject(t testing.TB, conn transport.TPM, password string) tpm2.NamedHandle {
	t.Helper()
	made, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.TPMRHOwner,
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			UserAuth: tpm2.TPM2BAuth{Buffer: []byte(password)},
			Data:     tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: []byte("autre")}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, UserWithAuth: true},
		}),
	}.Execute(conn)
	if err != nil {
		t.Fatal(err)
	}
	return tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name}
}

func useGuarded(conn transport.TPM, object tpm2.NamedHandle, password string) error {
	for {
		_, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{
			Handle: object.Handle, Name: object.Name, Auth: tpm2.PasswordAuth([]byte(password)),
		}}.Execute(conn)
		if !errors.Is(err, tpm2.TPMRCRetry) {
			return err
		}
	}
}

// A TPM 1.2 answers in its own way, and is named.
func TestExamineErrNotTPM2(t *testing.T) {
	reply := binary.BigEndian.AppendUint16(nil, 0x00C4)
	reply = binary.BigEndian.AppendUint32(reply, 10)
	reply = binary.BigEndian.AppendUint32(reply, 30) // TPM_BADTAG
	bus := newTap(t, nil, func([]byte) ([]byte, bool) { return reply, true })
	if _, err := tpm.NewImpatient(t, bus.device(), time.Second).Examine(); !errors.Is(err, tpm.ErrNotTPM2) {
		t.Errorf("Examine = %v, want ErrNotTPM2", err)
	}
}
