package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"relais/node/territory"
)

// A page carries records from one hub to another. Most are neighbours in a log, and
// of those it leaves out what the reader can write again: the envelope's fixed
// octets, the author, the territory, the numbers, and the hash of the one before.
//
//	page   = *( single / run )
//	single = length 1 (1 to 255) ‖ record
//	run    = 0 ‖ count 1 (1 to 255) ‖ code length 1 ‖ code ‖ hub 16 ‖ incarnation 2 ‖ seq 4 ‖ prev 16 ‖ count × item
//	item   = length 1 ‖ version ‖ kind ‖ time ‖ body ‖ signature 64
//
// The code is the territory's; incarnation, seq and prev are the first item's, each
// later one has the next seq and follows the one before. Version, kind, time and
// body are spelled as in the payload. Numbers are big-endian.

// ErrPage means that the octets are not a page of records.
var ErrPage = errors.New("not a page of records")

// maxRun is the most records in a run.
const maxRun = math.MaxUint8

// stem is what a run says once.
type stem struct {
	code string
	Place
	prev [16]byte
}

// item is what a run says of each record.
type item struct {
	tail      []byte // version, kind; time, body
	signature []byte
	payload   []byte // put together by join
}

// AppendPage writes records as one page, which is never longer than their lengths
// in one octet each and themselves. It panics on a record that could not be on the
// wire at all.
func AppendPage(dst []byte, wires [][]byte) []byte {
	for len(wires) > 0 {
		if n := len(wires[0]); n == 0 || n > MaxOctets {
			panic(fmt.Sprintf("a record of %d octets", n))
		}
		run, n := takeRun(wires)
		single := 0
		for _, wire := range wires[:n] {
			single += 1 + len(wire)
		}
		if len(run) > 0 && len(run) < single {
			dst, wires = append(dst, run...), wires[n:]
			continue
		}
		dst = append(append(dst, byte(len(wires[0]))), wires[0]...)
		wires = wires[1:]
	}
	return dst
}

// takeRun writes the run that begins with the first record, and how many are in it:
// none and 1 for one that no run can carry.
func takeRun(wires [][]byte) (run []byte, n int) {
	first, i, ok := split(wires[0])
	if !ok {
		return nil, 1
	}
	run = append(run, 0, 0, byte(len(first.code)))
	run = append(run, first.code...)
	run = append(run, first.Hub[:]...)
	run = binary.BigEndian.AppendUint16(run, first.Incarnation)
	run = binary.BigEndian.AppendUint32(run, first.Seq)
	run = append(run, first.prev[:]...)
	for next := first; ok && next == first; {
		run = append(run, byte(len(i.tail)+signatureOctets))
		run = append(append(run, i.tail...), i.signature...)
		n++
		if n == maxRun || n == len(wires) || first.Seq == math.MaxUint32 {
			break
		}
		first.follow(i.payload)
		next, i, ok = split(wires[n])
	}
	run[1] = byte(n)
	return run, n
}

// follow makes s the stem of the record after the one with this payload.
func (s *stem) follow(payload []byte) {
	h := ChainHash(s.Hub, payload)
	s.Seq, s.prev = s.Seq+1, [16]byte(h[:16])
}

// split takes a record apart, unless it could not be put together again.
func split(wire []byte) (s stem, i item, ok bool) {
	before := len(opening) + len(s.Hub) + len(beforePayload) + 1 // and the payload's length
	after := len(beforeSig) + signatureOctets
	if len(wire) < before+minPayload+after {
		return s, i, false
	}
	copy(s.Hub[:], wire[len(opening):])
	end := before + int(wire[before-1])
	if end+after != len(wire) {
		return s, i, false
	}
	payload := wire[before:end]
	c := &cursor{rest: payload}
	c.array(8)
	c.skip(0)
	c.skip(0)
	head := payload[1 : len(payload)-len(c.rest)]
	s.code = c.text(maxCodeOctets)
	s.Incarnation = uint16(c.uint(math.MaxUint16))
	s.Seq = uint32(c.uint(math.MaxUint32))
	c.into(s.prev[:])
	if c.err != nil {
		return s, i, false
	}
	i = item{tail: append(bytes.Clone(head), c.rest...), signature: wire[len(wire)-signatureOctets:]}
	return s, i, bytes.Equal(s.join(&i), wire)
}

// payload puts a payload together from its tail. It is nil for a tail that has no
// version and kind.
func (s *stem) payload(tail []byte) []byte {
	c := &cursor{rest: tail}
	c.uint(math.MaxUint8)
	c.uint(math.MaxUint8)
	if c.err != nil {
		return nil
	}
	payload := append([]byte{majorArray<<5 | 8}, tail[:len(tail)-len(c.rest)]...)
	payload = append(appendHead(payload, majorText, uint64(len(s.code))), s.code...)
	payload = appendHead(payload, majorUint, uint64(s.Incarnation))
	payload = appendHead(payload, majorUint, uint64(s.Seq))
	payload = append(appendHead(payload, majorBytes, uint64(len(s.prev))), s.prev[:]...)
	return append(payload, c.rest...)
}

// join puts a record together, and its payload; nil when there is none of that form.
func (s *stem) join(i *item) []byte {
	i.payload = s.payload(i.tail)
	if len(i.payload) < minPayload || len(i.payload) > maxPayload {
		return nil
	}
	return Assemble(s.Hub, i.payload, [signatureOctets]byte(i.signature))
}

// appendHead writes the shortest head of an item (RFC 8949 §3).
func appendHead(dst []byte, major byte, argument uint64) []byte {
	switch {
	case argument < 24:
		return append(dst, major<<5|byte(argument))
	case argument <= math.MaxUint8:
		return append(dst, major<<5|24, byte(argument))
	case argument <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major<<5|25), uint16(argument))
	case argument <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major<<5|26), uint32(argument))
	}
	return binary.BigEndian.AppendUint64(append(dst, major<<5|27), argument)
}

// ParsePage reads a page. It checks that records of at most MaxOctets can be made
// of it and nothing else: whoever applies them judges what they hold. The error
// wraps ErrPage.
func ParsePage(page []byte) ([][]byte, error) {
	r := &pageReader{rest: page}
	var wires [][]byte
	for len(r.rest) > 0 && r.err == nil {
		if n := r.octet(); n > 0 {
			wires = append(wires, r.take(n))
		} else {
			wires = append(wires, r.run()...)
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: octet %d: %w", ErrPage, len(page)-len(r.rest), r.err)
	}
	return wires, nil
}

// pageReader reads a page from its beginning. The first failure sticks.
type pageReader struct {
	rest []byte
	err  error
}

func (r *pageReader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = errors.New("it ends too early")
	}
	if r.err != nil {
		return make([]byte, n)
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *pageReader) octet() int { return int(r.take(1)[0]) }

// run reads what follows the octet that opens a run.
func (r *pageReader) run() (wires [][]byte) {
	count := r.octet()
	length := r.octet()
	if r.err == nil && (count == 0 || length > maxCodeOctets) {
		r.err = fmt.Errorf("a run of %d, of a territory of %d octets", count, length)
	}
	s := stem{code: string(r.take(length))}
	s.Hub = territory.HubID(r.take(16))
	s.Incarnation = binary.BigEndian.Uint16(r.take(2))
	s.Seq = binary.BigEndian.Uint32(r.take(4))
	s.prev = [16]byte(r.take(16))
	for range count {
		octets := r.take(r.octet())
		if r.err != nil {
			return nil
		}
		end := len(octets) - signatureOctets
		if end < 0 {
			r.err = errors.New("a record without a signature")
			return nil
		}
		i := item{tail: octets[:end], signature: octets[end:]}
		wire := s.join(&i)
		if wire == nil {
			r.err = errors.New("a record of another form")
			return nil
		}
		wires = append(wires, wire)
		s.follow(i.payload)
	}
	return wires
}
