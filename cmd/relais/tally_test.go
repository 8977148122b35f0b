package main

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"relais/hardware/tpm/swtpm"
)

// A tally stands between a hub and its software TPM, and counts what is asked. Held,
// it answers nothing until it is let go, as a TPM that hangs.
type tally struct {
	socket string
	target string
	asked  atomic.Int64 // commands
	// listed are those that ask what is loaded: a software TPM has no resource manager
	// before it, and is asked that at each connection. /dev/tpmrm0 never is.
	listed atomic.Int64
	holds  sync.RWMutex // held for writing: no command passes
	// strike is asked of each command before it is passed on, and again once
	// the TPM has done it: true ends the connection there.
	strike func(n int64, done bool) bool
}

const tpmGetCapability = 0x17A

func newTally(t testing.TB, process *swtpm.Process) *tally {
	t.Helper()
	return newStrikingTally(t, process, func(int64, bool) bool { return false })
}

func newStrikingTally(t testing.TB, process *swtpm.Process, strike func(n int64, done bool) bool) *tally {
	t.Helper()
	c := &tally{socket: filepath.Join(shortDir(t), "tally.sock"), target: process.Socket(), strike: strike}
	l, err := net.Listen("unix", c.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *tally) device() string { return "unix:" + c.socket }

func (c *tally) serve(conn net.Conn) {
	defer conn.Close()
	bus, err := net.Dial("unix", c.target)
	if err != nil {
		return
	}
	defer bus.Close()
	for {
		command, err := tpmMessage(conn)
		if err != nil {
			return
		}
		n := c.asked.Add(1)
		if binary.BigEndian.Uint32(command[6:]) == tpmGetCapability {
			c.listed.Add(1)
		}
		if c.strike(n, false) {
			return
		}
		c.holds.RLock()
		bus.Write(command)
		reply, err := tpmMessage(bus)
		c.holds.RUnlock()
		if err != nil || c.strike(n, true) {
			return
		}
		conn.Write(reply)
	}
}

// tpmMessage reads a command or a reply: tag u16 ‖ size u32 ‖ the rest.
func tpmMessage(r io.Reader) ([]byte, error) {
	message := make([]byte, 10)
	if _, err := io.ReadFull(r, message); err != nil {
		return nil, err
	}
	rest := make([]byte, binary.BigEndian.Uint32(message[2:])-10)
	_, err := io.ReadFull(r, rest)
	return append(message, rest...), err
}
