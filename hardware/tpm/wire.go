package tpm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const (
	headerSize = 10   // tag u16 ‖ size u32 ‖ code u32
	maxReply   = 4096 // the largest reply a TPM gives, in octets

	// commandTimeout bounds one command, retries included. The slowest we send
	// makes a P-256 key, a second or two on silicon.
	commandTimeout = 30 * time.Second
	maxRetries     = 12
	firstPause     = 5 * time.Millisecond
)

// Response codes with which a TPM asks for the same command again
// (TPM 2.0 part 2, 6.6.3).
const (
	rcYielded = 0x908
	rcTesting = 0x90A
	rcRetry   = 0x922
)

// wire carries commands over one connection, which it drops at the first error:
// after one, nothing says which command the next reply would answer. It does not
// connect again by itself, for what was loaded on the lost connection is lost
// too. It satisfies go-tpm's transport. Its owner sends one command at a time.
type wire struct {
	device  device
	timeout time.Duration
	conn    conn          // nil when there is none
	sent    atomic.Uint64 // commands, those asked again included
}

// Send carries one command and returns its reply, asking again as often as the
// TPM wants, within bounds.
func (w *wire) Send(command []byte) ([]byte, error) {
	if w.conn == nil {
		return nil, fmt.Errorf("%w: the connection was lost", ErrSilent)
	}
	deadline := time.Now().Add(w.timeout)
	for pause, tries := firstPause, 0; ; pause, tries = 2*pause, tries+1 {
		w.sent.Add(1)
		reply, err := w.exchange(command, deadline)
		if errors.Is(err, ErrNotTPM2) {
			w.drop()
			return nil, err
		}
		if err != nil {
			w.drop()
			return nil, fmt.Errorf("%w: %w", ErrSilent, err)
		}
		if !asksAgain(reply) || tries == maxRetries || time.Until(deadline) < pause {
			return reply, nil
		}
		time.Sleep(pause)
	}
}

func (w *wire) connect() error {
	c, err := w.device.open()
	if err != nil {
		return explainOpen(w.device, err)
	}
	w.conn = c
	return nil
}

func (w *wire) exchange(command []byte, deadline time.Time) ([]byte, error) {
	if err := w.conn.Send(command, deadline); err != nil {
		return nil, err
	}
	reply, err := w.conn.Receive(deadline)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("silent for %v: %w", w.timeout, err)
	}
	if err != nil {
		return nil, err
	}
	size, err := replySize(reply)
	if err == nil && size != len(reply) {
		err = fmt.Errorf("reply of %d octets that announces %d", len(reply), size)
	}
	return reply, err
}

// replySize returns the length a reply's header announces.
func replySize(reply []byte) (int, error) {
	if len(reply) < headerSize {
		return 0, fmt.Errorf("reply of %d octets, shorter than its header", len(reply))
	}
	if tag := binary.BigEndian.Uint16(reply); tag != 0x8001 && tag != 0x8002 {
		return 0, fmt.Errorf("reply with tag %#04x: %w", tag, ErrNotTPM2)
	}
	size := binary.BigEndian.Uint32(reply[2:])
	if size < headerSize || size > maxReply {
		return 0, fmt.Errorf("reply that announces %d octets", size)
	}
	return int(size), nil
}

func asksAgain(reply []byte) bool {
	switch binary.BigEndian.Uint32(reply[6:]) {
	case rcYielded, rcTesting, rcRetry:
		return true
	}
	return false
}

// drop lets go of the connection.
func (w *wire) drop() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
