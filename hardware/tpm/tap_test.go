package tpm_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm/swtpm"
)

// tap stands on the bus between a provider and a software TPM: it hears all, and
// answers itself what its rule says.
type tap struct {
	socket string
	target string
	rule   func(command []byte) (reply []byte, mine bool) // nil: passes all

	mu       sync.Mutex
	commands [][]byte
	replies  [][]byte
}

func newTap(t testing.TB, process *swtpm.Process, rule func(command []byte) ([]byte, bool)) *tap {
	t.Helper()
	dir, err := os.MkdirTemp("", "tap")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &tap{socket: filepath.Join(dir, "tap.sock"), rule: rule}
	if process != nil {
		p.target = process.Socket()
	}
	listener, err := net.Listen("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *tap) device() string { return "unix:" + p.socket }

func (p *tap) serve(conn net.Conn) {
	defer conn.Close()
	var bus net.Conn
	for {
		command, err := readMessage(conn)
		if err != nil {
			break
		}
		reply, mine := []byte(nil), false
		if p.rule != nil {
			reply, mine = p.rule(command)
		}
		if !mine {
			if bus == nil {
				if bus, err = net.Dial("unix", p.target); err != nil {
					return
				}
				defer bus.Close()
			}
			if reply, err = ask(bus, command); err != nil {
				return
			}
		}
		p.mu.Lock()
		p.commands, p.replies = append(p.commands, command), append(p.replies, reply)
		p.mu.Unlock()
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

func ask(bus net.Conn, command []byte) ([]byte, error) {
	if _, err := bus.Write(command); err != nil {
		return nil, err
	}
	return readMessage(bus)
}

// readMessage reads a command or a reply: tag u16 ‖ size u32 ‖ the rest.
func readMessage(r io.Reader) ([]byte, error) {
	message := make([]byte, 10)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	rest := make([]byte, binary.BigEndian.Uint32(message[2:])-10)
	_, err := io.ReadFull(r, rest)
	return append(message, rest...), err
}

// code is a command's or a reply's.
func code(message []byte) uint32 { return binary.BigEndian.Uint32(message[6:]) }

// heard tells whether octets passed on the bus, either way.
func (p *tap) heard(octets []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, message := range append(p.commands, p.replies...) {
		if bytes.Contains(message, octets) {
			return true
		}
	}
	return false
}

// forget starts the record anew.
func (p *tap) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commands, p.replies = nil, nil
}

func (p *tap) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.commands)
}

// Send makes a tap a go-tpm transport, for the twins of our tests.
func (p *tap) Send(command []byte) ([]byte, error) {
	conn, err := net.Dial("unix", p.socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return ask(conn, command)
}

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

// Opening a hub is at most ten commands: on silicon each may take tenths of a
// second.
func TestStartIsAtMostTenCommands(t *testing.T) {
	process, _ := start(t)
	p := open(t, process.Device())
	blob := wrap(t, p)
	id, _ := newIdentity(t, p)
	p.Close()
	bus := newTap(t, process, nil)
	again := open(t, bus.device())
	mustUnwrap(t, again, blob)
	signer, err := again.LoadIdentity(id)
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
