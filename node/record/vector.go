package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The bounds of a vector. It fits in one frame of a link, behind an octet of
// flags: 255 authors with all the logs that they may have.
const (
	MaxVectorEntries = 4094
	MaxVectorOctets  = vectorHeadOctets + vectorEntryOctets*MaxVectorEntries
	// MaxLogs is how many logs of one author are kept. A hub needs another log
	// each time its machine goes back in time; a hub that opens more than these
	// is broken or lies, and would fill everybody's vector.
	MaxLogs = 16
)

const (
	vectorHeadOctets  = 4 + 16
	vectorEntryOctets = 16
)

// Vector is what a hub knows: per log, the seq of the highest contiguous signed
// record and LogHash up to there. Seq 0, with anything for Head, is a log of which
// only records that wait for a predecessor are known. On the wire: roster version u32, fresh salt 16, then 16 octets
// an entry (index u16, incarnation u16, seq u32, SHA-256(salt ‖ hash)[:8]).
type Vector struct {
	RosterVersion uint32
	Salt          [16]byte
	Entries       []VectorEntry // by index, then incarnation
}

// VectorEntry is one log in a vector.
type VectorEntry struct {
	Index       uint16
	Incarnation uint16
	Seq         uint32
	Head        [8]byte // salted
}

// Salted returns a log's hash as a vector with this salt shows it. The salt is
// fresh in each vector, so that nobody can prepare two histories that look alike.
func Salted(salt [16]byte, head Hash) [8]byte {
	var in [16 + 32]byte
	copy(in[:], salt[:])
	copy(in[16:], head[:])
	sum := sha256.Sum256(in[:])
	return [8]byte(sum[:8])
}

// Before orders entries by index, then incarnation.
func (e VectorEntry) Before(o VectorEntry) bool {
	return cmp.Or(cmp.Compare(e.Index, o.Index), cmp.Compare(e.Incarnation, o.Incarnation)) < 0
}

// Find returns the entry of one log.
func (v Vector) Find(index, incarnation uint16) (VectorEntry, bool) {
	for _, e := range v.Entries {
		if e.Index == index && e.Incarnation == incarnation {
			return e, true
		}
	}
	return VectorEntry{}, false
}

// Full tells whether the vector lists as many logs of one author as are kept,
// and not this one: its hub would not take it.
func (v Vector) Full(index, incarnation uint16) bool {
	n := 0
	for _, e := range v.Entries {
		if e.Index == index {
			if e.Incarnation == incarnation {
				return false
			}
			n++
		}
	}
	return n >= MaxLogs
}

// Trim puts the entries in order and leaves out those that are too many: the
// later incarnations first, of which honest authors have few.
func (v *Vector) Trim() {
	if len(v.Entries) > MaxVectorEntries {
		slices.SortFunc(v.Entries, func(x, y VectorEntry) int {
			return cmp.Or(cmp.Compare(x.Incarnation, y.Incarnation), cmp.Compare(x.Index, y.Index))
		})
		v.Entries = v.Entries[:MaxVectorEntries]
	}
	slices.SortFunc(v.Entries, func(x, y VectorEntry) int {
		return cmp.Or(cmp.Compare(x.Index, y.Index), cmp.Compare(x.Incarnation, y.Incarnation))
	})
}

// MarshalBinary implements encoding.BinaryMarshaler. Entries must be in order,
// each log once.
func (v Vector) MarshalBinary() ([]byte, error) {
	if len(v.Entries) > MaxVectorEntries {
		return nil, fmt.Errorf("vector of %d entries; the limit is %d", len(v.Entries), MaxVectorEntries)
	}
	b := make([]byte, 0, vectorHeadOctets+vectorEntryOctets*len(v.Entries))
	b = binary.BigEndian.AppendUint32(b, v.RosterVersion)
	b = append(b, v.Salt[:]...)
	for i, e := range v.Entries {
		if i > 0 && !v.Entries[i-1].Before(e) {
			return nil, errors.New("vector entries are not in order")
		}
		b = binary.BigEndian.AppendUint16(b, e.Index)
		b = binary.BigEndian.AppendUint16(b, e.Incarnation)
		b = binary.BigEndian.AppendUint32(b, e.Seq)
		b = append(b, e.Head[:]...)
	}
	return b, nil
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. It accepts only what
// MarshalBinary writes.
func (v *Vector) UnmarshalBinary(b []byte) error {
	rest := len(b) - vectorHeadOctets
	if rest < 0 || rest%vectorEntryOctets != 0 || rest/vectorEntryOctets > MaxVectorEntries {
		return fmt.Errorf("vector of %d octets", len(b))
	}
	out := Vector{
		RosterVersion: binary.BigEndian.Uint32(b),
		Salt:          [16]byte(b[4:20]),
	}
	for b = b[vectorHeadOctets:]; len(b) > 0; b = b[vectorEntryOctets:] {
		e := VectorEntry{
			Index:       binary.BigEndian.Uint16(b),
			Incarnation: binary.BigEndian.Uint16(b[2:]),
			Seq:         binary.BigEndian.Uint32(b[4:]),
			Head:        [8]byte(b[8:16]),
		}
		if n := len(out.Entries); n > 0 && !out.Entries[n-1].Before(e) {
			return errors.New("vector entries are not in order")
		}
		out.Entries = append(out.Entries, e)
	}
	*v = out
	return nil
}
