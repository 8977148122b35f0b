package record

import (
	"encoding/binary"
	"errors"
	"math"
)

// decodeBody reads the body of a kind that this version knows. Numbers whose
// meaning may grow (reasons, channels, regimes) are taken as they come: what
// they allow is for Admit.
func decodeBody(kind Kind, raw []byte) (Body, error) {
	c := &cursor{rest: raw}
	var b Body
	switch kind {
	case KindNotice:
		b = c.notice()
	case KindRevocation:
		b = c.revocation()
	case KindClose:
		b = c.closing()
	case KindHelper:
		b = c.helper()
	case KindFloor:
		b = c.floor()
	default:
		return nil, errors.New("unknown kind")
	}
	return b, c.done()
}

func (c *cursor) notice() *Notice {
	n := new(Notice)
	c.array(9)
	c.into(n.Mandate[:])
	c.into(n.Structure[:])
	n.Lines = uint8(c.uint(math.MaxUint8))
	n.Start = c.time()
	n.End = c.time()
	n.Regime = MandateKind(c.uint(math.MaxUint8))
	c.into(n.Stop[:])
	c.into(n.Dossier[:])
	if !c.null() {
		n.Subject = new([16]byte)
		c.into(n.Subject[:])
	}
	return n
}

func (c *cursor) revocation() *Revocation {
	r := new(Revocation)
	c.array(6)
	c.into(r.Mandate[:])
	r.Lines = uint32(c.uint(math.MaxUint32))
	r.Reason = Reason(c.uint(math.MaxUint8))
	r.Channel = Channel(c.uint(math.MaxUint8))
	r.Claimed = c.time()
	if !c.null() {
		r.Code = new(StopCode)
		c.into(r.Code[:])
	}
	return r
}

func (c *cursor) closing() *Close {
	b := new(Close)
	c.array(2)
	c.into(b.Structure[:])
	packed := c.take(c.expect(majorBytes))
	if len(packed) == 0 || len(packed)%8 != 0 || len(packed)/8 > MaxCuts {
		c.fail("cuts of %d octets", len(packed))
		return b
	}
	for ; len(packed) > 0; packed = packed[8:] {
		p := Position{
			Index:       binary.BigEndian.Uint16(packed),
			Incarnation: binary.BigEndian.Uint16(packed[2:]),
			Seq:         binary.BigEndian.Uint32(packed[4:]),
		}
		if n := len(b.Cuts); n > 0 && !b.Cuts[n-1].before(p) {
			c.fail("cuts are not in order")
		}
		b.Cuts = append(b.Cuts, p)
	}
	return b
}

// before orders logs by index, then incarnation.
func (p Position) before(o Position) bool {
	return p.Index < o.Index || p.Index == o.Index && p.Incarnation < o.Incarnation
}

func (c *cursor) helper() *Helper {
	h := new(Helper)
	c.array(2)
	c.into(h.Helper[:])
	if !c.null() {
		c.array(3)
		h.Lifts = &Position{
			Index:       uint16(c.uint(math.MaxUint16)),
			Incarnation: uint16(c.uint(math.MaxUint16)),
			Seq:         uint32(c.uint(math.MaxUint32)),
		}
	}
	return h
}

func (c *cursor) floor() *Floor {
	f := new(Floor)
	c.array(2)
	f.Seq = uint32(c.uint(math.MaxUint32))
	c.into(f.Hash[:])
	return f
}
