package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"relais/node/territory"

	"github.com/fxamacker/cbor/v2"
)

// payloadVersion is the version this program writes. The first seven items of a
// payload are the same in every version to come.
const payloadVersion = 1

const maxCodeOctets = 8 // of a territory's code

// deterministic writes CBOR by RFC 8949 §4.2.1.
var deterministic = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}()

// Encode returns the payload of r: what is hashed, chained and signed. It fails
// when r would not be accepted by Parse, or would not fit in MaxOctets.
func (r Record) Encode() ([]byte, error) {
	if r.Body == nil || r.Kind != r.Body.kind() {
		return nil, fmt.Errorf("encode record: body is not of kind %d", r.Kind)
	}
	version := uint8(payloadVersion)
	body, err := encodeBody(r.Body)
	if err != nil {
		return nil, fmt.Errorf("encode record of kind %d: %w", r.Kind, err)
	}
	raw, isRaw := r.Body.(*Unknown)
	if isRaw {
		version = raw.Version
	}
	payload, err := deterministic.Marshal([]any{
		version, uint8(r.Kind), string(r.Territory), r.Incarnation, r.Seq, r.Prev[:], r.Time.UnixMilli(), body,
	})
	if err != nil {
		return nil, fmt.Errorf("encode record of kind %d: %w", r.Kind, err)
	}
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("encode record of kind %d: payload of %d octets; the limit is %d", r.Kind, len(payload), maxPayload)
	}
	again, err := decodePayload(r.Hub, payload)
	if err != nil {
		return nil, fmt.Errorf("encode record of kind %d: %w", r.Kind, err)
	}
	if _, unread := again.Body.(*Unknown); unread && !isRaw {
		return nil, fmt.Errorf("encode record of kind %d: the body would not be understood", r.Kind)
	}
	return payload, nil
}

// decodePayload reads a payload. Its first seven items and the spelling of its
// body must be right; a body that says nothing this version understands comes
// back as *Unknown.
func decodePayload(hub territory.HubID, payload []byte) (Record, error) {
	c := &cursor{rest: payload}
	c.array(8)
	version := uint8(c.uint(math.MaxUint8))
	r := Record{Kind: Kind(c.uint(math.MaxUint8))}
	r.Territory = territory.Code(c.text(maxCodeOctets))
	r.Hub = hub
	r.Incarnation = uint16(c.uint(math.MaxUint16))
	r.Seq = uint32(c.uint(math.MaxUint32))
	c.into(r.Prev[:])
	r.Time = c.time()
	if c.err != nil {
		return Record{}, fmt.Errorf("read payload: %w", c.err)
	}
	if r.Seq == 0 || version == 0 || r.Kind == 0 {
		return Record{}, errors.New("read payload: version, kind or sequence number is 0")
	}
	if err := r.Territory.Validate(); err != nil {
		return Record{}, fmt.Errorf("read payload: %w", err)
	}
	raw := c.rest
	c.skip(0)
	if err := c.done(); err != nil {
		return Record{}, fmt.Errorf("read body of kind %d: %w", r.Kind, err)
	}
	r.Body = &Unknown{Of: r.Kind, Version: version, Raw: raw}
	if version == payloadVersion {
		if body, err := decodeBody(r.Kind, raw); err == nil {
			r.Body = body
		}
	}
	return r, nil
}

// time reads Unix milliseconds: years 1970 to 9999.
func (c *cursor) time() time.Time {
	const last = 253402300799999
	return time.UnixMilli(int64(c.uint(last))).UTC()
}

func encodeBody(b Body) (cbor.RawMessage, error) {
	switch b := b.(type) {
	case *Notice:
		var subject any
		if b.Subject != nil {
			subject = b.Subject[:]
		}
		return deterministic.Marshal([]any{
			b.Mandate[:], b.Structure[:], b.Lines, b.Start.UnixMilli(), b.End.UnixMilli(),
			uint8(b.Regime), b.Stop[:], b.Dossier[:], subject,
		})
	case *Revocation:
		var code any
		if b.Code != nil {
			code = b.Code[:]
		}
		return deterministic.Marshal([]any{
			b.Mandate[:], b.Lines, uint8(b.Reason), uint8(b.Channel), b.Claimed.UnixMilli(), code,
		})
	case *Close:
		cuts := make([]byte, 0, 8*len(b.Cuts))
		for _, p := range b.Cuts {
			cuts = binary.BigEndian.AppendUint16(cuts, p.Index)
			cuts = binary.BigEndian.AppendUint16(cuts, p.Incarnation)
			cuts = binary.BigEndian.AppendUint32(cuts, p.Seq)
		}
		return deterministic.Marshal([]any{b.Structure[:], cuts})
	case *Helper:
		var lifts any
		if b.Lifts != nil {
			lifts = []any{b.Lifts.Index, b.Lifts.Incarnation, b.Lifts.Seq}
		}
		return deterministic.Marshal([]any{b.Helper[:], lifts})
	case *Floor:
		return deterministic.Marshal([]any{b.Seq, b.Hash[:]})
	case *Unknown:
		return cbor.RawMessage(b.Raw), nil // Encode walks over it
	default:
		return nil, fmt.Errorf("no encoding for %T", b)
	}
}
