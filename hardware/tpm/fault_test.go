package tpm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"relais/hardware/tpm"
)

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
