package tpm_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"relais/hardware/tpm"
)

// A reply that comes after we gave up on it is never taken for the answer to
// something else: the connection it came on is gone.
func TestStaleReplies(t *testing.T) {
	const patience = 100 * time.Millisecond
	process, _ := start(t)
	first := wrapOn(t, process.Device())
	other := bytes.Repeat([]byte{7}, len(kek))
	p := open(t, process.Device())
	second, err := p.Wrap(other)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	var late atomic.Bool
	bus := newTap(t, process, nil)
	bus.onReply(func(command []byte, _ net.Conn) {
		if code(command) == 0x15E && late.CompareAndSwap(true, false) { // Unseal
			time.Sleep(2 * patience)
		}
	})
	hasty := tpm.NewImpatient(t, bus.device(), patience)
	for range 3 {
		late.Store(true)
		if _, err := hasty.Unwrap(first); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("Unwrap = %v, want that it stays silent", err)
		}
		time.Sleep(2 * patience) // the reply is on its way
		if got, err := hasty.Unwrap(second); err != nil || !bytes.Equal(got, other) {
			t.Errorf("then Unwrap = %x, %v", got, err)
		}
	}
}

// The twin: on a connection that is kept, the next command gets the late reply.
func TestStaleRepliesOnOneConnection(t *testing.T) {
	process, _ := start(t)
	conn, err := net.Dial("unix", process.Socket())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	random := func(octets byte) []byte { // TPM2_GetRandom
		return []byte{0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7B, 0, octets}
	}
	conn.Write(random(4)) // and nobody reads the answer
	time.Sleep(100 * time.Millisecond)
	reply, err := ask(conn, random(8))
	if err != nil || len(reply) != 12+4 {
		t.Errorf("8 octets were asked for and % x came, %v: the test before shows nothing", reply, err)
	}
}
