package main

import (
	"encoding/binary"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"relais/hardware/tpm/swtpm"
)

// A moment is before the TPM sees a command, or once it has done it and nobody knows.
type moment struct {
	command int64 // 1 for the first; 0: never
	done    bool
}

// An executioner kills a program when its TPM is asked a command.
type executioner struct {
	*tally
	at     atomic.Pointer[moment]
	victim atomic.Pointer[os.Process]
}

func newExecutioner(t testing.TB, process *swtpm.Process) *executioner {
	t.Helper()
	x := &executioner{}
	x.at.Store(&moment{})
	x.tally = newStrikingTally(t, process, x.strike)
	return x
}

// aim says at what moment from now on the next victim dies.
func (x *executioner) aim(at moment) {
	x.victim.Store(nil)
	x.asked.Store(0)
	x.at.Store(&at)
}

func (x *executioner) strike(n int64, done bool) bool {
	if at := x.at.Load(); n != at.command || done != at.done {
		return false
	}
	for x.victim.Load() == nil { // it started a moment ago
		time.Sleep(time.Millisecond)
	}
	x.victim.Load().Kill()
	return true
}

// quiet waits until the TPM is asked nothing for a while, or the program ended.
func (x *executioner) quiet(c *child) {
	const while = 300 * time.Millisecond
	for last, since := int64(-1), time.Now(); time.Since(since) < while; time.Sleep(10 * time.Millisecond) {
		if now := x.asked.Load(); now != last {
			last, since = now, time.Now()
		}
		if gone, _ := c.ended(); gone {
			return
		}
	}
}

// What a TPM has, by the first handle of each kind.
const (
	tpmIndexes = 0x01000000 // in its permanent memory: counters
	tpmLoaded  = 0x02000000 // sessions
	tpmObjects = 0x80000000 // transient
)

// tpmHolds counts the handles of these kinds in a TPM that nobody uses:
// TPM2_GetCapability.
func tpmHolds(t *testing.T, p *swtpm.Process, kinds ...uint32) (n int) {
	t.Helper()
	conn, err := net.Dial("unix", p.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	for _, first := range kinds {
		command := []byte{0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 64}
		binary.BigEndian.PutUint32(command[14:], first)
		conn.Write(command)
		reply, err := tpmMessage(conn)
		if err != nil || len(reply) < 19 || binary.BigEndian.Uint32(reply[6:]) != 0 {
			t.Fatalf("TPM2_GetCapability: % x, %v", reply, err)
		}
		n += int(binary.BigEndian.Uint32(reply[15:]))
	}
	return n
}
