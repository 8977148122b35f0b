package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"relais/node/id"
	"relais/node/territory"
)

// Type says what a frame carries. Receivers skip types they do not know.
type Type uint8

// The types of frame. Numbers are never reused.
const (
	TypeStream Type = 1 // opens a stream: all octets after it are the stream's
	TypePacket Type = 2 // a packet of memberlist
	TypeRecord Type = 3 // one record, pushed eagerly
	TypeVector Type = 4 // what the sender knows
	TypeTunnel Type = 5 // asks for a tunnel: one octet answers, and all after it is the other hub's
	TypeBeacon Type = 6 // a hub's sign of life, passed on
)

const (
	frameVersion = 1
	headerOctets = 8 + 2*id.Size
	// MaxPayload is the most a frame carries, in octets.
	MaxPayload = 64 << 10
)

// Why a connection is closed over a frame.
var (
	ErrFrameTooLarge = errors.New("oversized frame")
	ErrFrameVersion  = errors.New("unknown frame version")
	ErrFrameRoute    = errors.New("frame under another hub's name")
)

// Frame is one message between two hubs, named at both ends. Those are the ends of
// the session, but for TypeTunnel, which a third hub passes on (tunnel.go):
//
//	version 1 ‖ type 1 ‖ zero 2 ‖ payload length 4 ‖ destination 16 ‖ source 16 ‖ payload
//
// Numbers are big-endian.
type Frame struct {
	Type    Type
	Dst     territory.HubID
	Src     territory.HubID
	Payload []byte
}

// AppendFrame writes a frame behind dst. The payload must not exceed MaxPayload.
func AppendFrame(dst []byte, f Frame) []byte {
	dst = append(dst, frameVersion, byte(f.Type), 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Payload)))
	dst = append(dst, f.Dst[:]...)
	dst = append(dst, f.Src[:]...)
	return append(dst, f.Payload...)
}

// ReadFrame reads one frame; the payload is the caller's. io.EOF means the
// stream ended between two frames.
func ReadFrame(r io.Reader) (Frame, error) {
	var h [headerOctets]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return Frame{}, err
	}
	if h[0] != frameVersion || h[2] != 0 || h[3] != 0 {
		return Frame{}, fmt.Errorf("%w %d", ErrFrameVersion, h[0])
	}
	n := binary.BigEndian.Uint32(h[4:8])
	if n > MaxPayload {
		return Frame{}, fmt.Errorf("%w: %d octets announced, %d allowed", ErrFrameTooLarge, n, MaxPayload)
	}
	f := Frame{Type: Type(h[1]), Payload: make([]byte, n)}
	copy(f.Dst[:], h[8:])
	copy(f.Src[:], h[8+id.Size:])
	if _, err := io.ReadFull(r, f.Payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	return f, nil
}
