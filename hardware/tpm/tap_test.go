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

	"relais/hardware/tpm/swtpm"
)

// tap stands on the bus between a provider and a software TPM: it hears all, and
// answers itself what its rule says.
type tap struct {
	socket string
	target string
	rule   func(command []byte) (reply []byte, mine bool) // nil: passes all

	mu sync.Mutex // guards all below
	// after, if any, is told of each reply of the TPM before it is passed on, and may
	// ask the TPM more. Nobody sees what it asks.
	after    func(command []byte, bus net.Conn)
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

// onReply sets after.
func (p *tap) onReply(f func(command []byte, bus net.Conn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = f
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
			p.mu.Lock()
			after := p.after
			p.mu.Unlock()
			if after != nil {
				after(command, bus)
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
