package tpm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm"
)

func mustBeImpostor(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, tpm.ErrReplaced) {
		t.Errorf("Unwrap = %v, want ErrReplaced", err)
	}
}

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

func TestForeignFlush(t *testing.T) {
	process, _ := start(t)
	var flushing atomic.Bool
	bus := newTap(t, process, func(command []byte) ([]byte, bool) {
		if code(command) == 0x15D && flushing.CompareAndSwap(true, false) { // Sign
			return rcReply(0x910), true // TPM_RC_REFERENCE_H0: no such object
		}
		return nil, false
	})
	_, signer := newIdentity(t, open(t, bus.device()))
	flushing.Store(true)
	sign(t, signer)
	if flushing.Load() {
		t.Error("the fault was never met")
	}
}

func rcReply(rc uint32) []byte {
	reply := []byte{0x80, 0x01, 0, 0, 0, 10, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(reply[6:], rc)
	return reply
}

func TestAsksAgain(t *testing.T) {
	for name, rc := range map[string]uint32{"RETRY": 0x922, "TESTING": 0x90A, "YIELDED": 0x908} {
		t.Run(name, func(t *testing.T) {
			process, _ := start(t)
			var left atomic.Int32
			left.Store(3)
			bus := newTap(t, process, func([]byte) ([]byte, bool) { return rcReply(rc), left.Add(-1) >= 0 })
			p := open(t, bus.device())
			mustUnwrap(t, p, wrap(t, p))
		})
	}
	t.Run("for ever", func(t *testing.T) {
		bus := newTap(t, nil, func([]byte) ([]byte, bool) { return rcReply(0x922), true })
		p := tpm.NewImpatient(t, bus.device(), 300*time.Millisecond)
		if _, err := p.Wrap(kek); !errors.Is(err, tpm2.TPMRCRetry) {
			t.Errorf("Wrap = %v, want TPM_RC_RETRY in the end", err)
		}
	})
}

// Replies that are not what a TPM sends: each is an error that drops the
// connection, and the next operation, on a fresh one, goes well.
func TestBadReplies(t *testing.T) {
	for name, c := range map[string]struct {
		reply []byte
		want  string
	}{
		"ErrSilent":         {nil, "silent for"},
		"ErrShort":          {[]byte{0x80, 0x01, 0}, "silent for"},
		"ErrCutShort":       {[]byte{0x80, 0x01, 0, 0, 0, 20, 0, 0, 0, 0}, "silent for"},
		"ErrOversized":      {append([]byte{0x80, 0x01, 0, 1, 0, 0, 0, 0, 0, 0}, make([]byte, 65526)...), "announces 65536"},
		"ErrUndersized":     {[]byte{0x80, 0x01, 0, 0, 0, 9, 0, 0, 0, 0}, "announces 9"},
		"ErrNotTPM2":        {[]byte{0x00, 0xC4, 0, 0, 0, 10, 0, 0, 0, 0x0A}, "not a TPM 2.0"},
		"ErrHTTP":           {[]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "not a TPM 2.0"},
		"ErrEmptySuccess":   {rcReply(0), "TPM: unseal"},
		"ErrUnknownFailure": {rcReply(0x9FF), "TPM: unseal"},
	} {
		t.Run(name, func(t *testing.T) {
			process, _ := start(t)
			blob := wrapOn(t, process.Device())
			var bad atomic.Bool
			bus := newTap(t, process, func([]byte) ([]byte, bool) { return c.reply, bad.Load() })
			p := tpm.NewImpatient(t, bus.device(), 200*time.Millisecond)
			bad.Store(true)
			if _, err := p.Unwrap(blob); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Unwrap = %v, want %q in it", err, c.want)
			}
			bad.Store(false)
			mustUnwrap(t, p, blob)
		})
	}
}

// A reply may come in pieces.
func TestSplitReplies(t *testing.T) {
	process, _ := start(t)
	listener, err := net.Listen("unix", filepath.Join(shortDir(t), "split.sock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		bus, err := net.Dial("unix", process.Socket())
		if err != nil {
			return
		}
		defer bus.Close()
		for {
			command, err := readMessage(conn)
			if err != nil {
				return
			}
			reply, err := ask(bus, command)
			if err != nil {
				return
			}
			for _, octet := range reply {
				conn.Write([]byte{octet})
			}
		}
	}()
	p := open(t, "unix:"+listener.Addr().String())
	mustUnwrap(t, p, wrap(t, p))
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

// A signature that does not verify is never handed out.
func TestWrongSignature(t *testing.T) {
	process, _ := start(t)
	var lie atomic.Bool
	var last []byte
	bus := newTap(t, process, func(command []byte) ([]byte, bool) {
		return last, lie.Load() && code(command) == 0x15D
	})
	_, signer := newIdentity(t, open(t, bus.device()))
	sign(t, signer)
	last = bytes.Clone(bus.replies[len(bus.replies)-1])
	lie.Store(true)
	if _, err := signer.Sign(nil, make([]byte, 32), nil); err == nil || !strings.Contains(err.Error(), "does not verify") {
		t.Errorf("Sign = %v, want a refusal of another digest's signature", err)
	}
	lie.Store(false)
	sign(t, signer)
}

func TestOpenFailures(t *testing.T) {
	t.Run("ErrNoDevice", func(t *testing.T) {
		mustFail(t, "/dev/tpmrm99", tpm.ErrNoDevice)
		mustFail(t, "unix:"+filepath.Join(shortDir(t), "none.sock"), tpm.ErrNoDevice)
	})
	t.Run("ErrNobodyListens", func(t *testing.T) {
		process, _ := start(t)
		process.Kill()
		if _, err := open(t, process.Device()).Wrap(kek); err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("Wrap = %v, want that it does not answer", err)
		}
	})
	t.Run("Present", func(t *testing.T) {
		process, _ := start(t)
		for name, want := range map[string]bool{
			process.Device(): true, "/dev/null": true, "/dev/tpmrm99": false, "unix:/nowhere/tpm.sock": false,
		} {
			if got := tpm.Present(name); got != want {
				t.Errorf("Present(%q) = %v, want %v", name, got, want)
			}
		}
	})
}

func mustFail(t *testing.T, device string, want error) {
	t.Helper()
	if _, err := open(t, device).Wrap(kek); !errors.Is(err, want) {
		t.Errorf("%s: Wrap = %v, want %v", device, err, want)
	}
}

// FuzzReply: whatever one reply is turned into, an operation ends, with the KEK
// or an error, and never with another KEK.
func FuzzReply(f *testing.F) {
	process, _ := start(f)
	blob := wrapOn(f, process.Device())
	genuine, err := net.Dial("unix", process.Socket())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { genuine.Close() })
	for n := range uint8(10) {
		f.Add(n, uint16(12), []byte{0xff})
		f.Add(n, uint16(6), []byte{0, 0, 1, 0x44})
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, octets []byte) {
		var seen, met uint8
		bus := newTap(t, nil, func(command []byte) ([]byte, bool) {
			reply, err := ask(genuine, command)
			if err != nil {
				return nil, true
			}
			if seen++; seen == which%12 && int(at) < len(reply) {
				met++
				copy(reply[at:], octets)
				if at < 6 { // keep the frame whole, or we only wait
					binary.BigEndian.PutUint32(reply[2:], uint32(len(reply)))
				}
			}
			return reply, true
		})
		p := tpm.NewImpatient(t, bus.device(), time.Second)
		got, err := p.Unwrap(blob)
		p.Close()
		if err == nil && !bytes.Equal(got, kek) {
			t.Errorf("reply %d altered at %d: unsealed %q", which, at, got)
		}
	})
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
