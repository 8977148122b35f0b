package agent

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"relais/hardware/keyring"
)

const (
	// maxFrame bounds a message, in octets after its length. A TPM's blob takes
	// about 1500, in base64 in JSON.
	maxFrame = 16 << 10
	// lengthSize is that of the length before each message, in octets.
	lengthSize = 4
	// frameTimeout is how long a message may take once it began.
	frameTimeout = 5 * time.Second
)

// A verb is what a client asks for.
type verb string

const (
	verbWrap         verb = "wrap"
	verbUnwrap       verb = "unwrap"
	verbNewIdentity  verb = "new-identity"
	verbLoadIdentity verb = "load-identity"
	verbSign         verb = "sign"
	verbExamine      verb = "examine"
	verbNewCounter   verb = "new-counter"
	verbReadCounter  verb = "read-counter"
	verbRaiseCounter verb = "raise-counter"
)

// request asks for one operation.
type request struct {
	Verb   verb   `json:"verb"`
	Data   []byte `json:"data,omitempty"`   // the KEK or a blob
	Digest []byte `json:"digest,omitempty"` // SHA-256, of sign alone
	To     uint64 `json:"to,omitempty"`     // of raise-counter alone
}

// whole tells whether a request has what its verb takes, and nothing else.
func (r request) whole() bool {
	bare := r.Verb == verbNewIdentity || r.Verb == verbNewCounter || r.Verb == verbExamine
	return (r.Digest != nil) == (r.Verb == verbSign) && (r.Data == nil) == bare && (r.To != 0) == (r.Verb == verbRaiseCounter)
}

// answer is what came of it, or the greeting.
type answer struct {
	Kind    keyring.Kind `json:"kind,omitempty"` // of the greeting alone
	Data    []byte       `json:"data,omitempty"`
	Error   string       `json:"error,omitempty"`
	Reasons []string     `json:"reasons,omitempty"` // what Error wraps, by name

	Count *keyring.Count `json:"count,omitempty"` // of read-counter and raise-counter alone
}

// writeFrame sends one message by the deadline.
func writeFrame(c net.Conn, message any, deadline time.Time) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > maxFrame {
		return fmt.Errorf("%w: %d octets to send, of at most %d", ErrMalformed, len(text), maxFrame)
	}
	c.SetWriteDeadline(deadline)
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	_, err = c.Write(append(frame, text...))
	return err
}

// readFrame reads one message: nothing more than its length says, and no more
// than maxFrame. io.EOF means that there is none, and that none began.
func readFrame(r io.Reader, message any) error {
	var length [lengthSize]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == 0 || n > maxFrame {
		return fmt.Errorf("%w: it announces %d octets, of at most %d", ErrMalformed, n, maxFrame)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	} else if err != nil {
		return err
	}
	return decode(text, message)
}

// decode reads exactly one JSON object, of known members.
func decode(text []byte, message any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(message); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows it", ErrMalformed)
	}
	return nil
}

// awaitFrame reads the next message of a connection that may stay idle for as
// long as it likes, but not stop in the middle of one.
func awaitFrame(c net.Conn, message any) error {
	c.SetReadDeadline(time.Time{})
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		return err
	}
	c.SetReadDeadline(time.Now().Add(frameTimeout))
	err := readFrame(io.MultiReader(bytes.NewReader(first), c), message)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
