package record_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"relais/node/record"
)

func someVector() record.Vector {
	v := record.Vector{RosterVersion: 7, Salt: fill[[16]byte](0x5a)}
	for i := range uint16(3) {
		v.Entries = append(v.Entries, record.VectorEntry{
			Index: i, Incarnation: 1, Seq: 1000 + uint32(i), Head: record.Salted(v.Salt, record.Hash{byte(i)}),
		})
	}
	v.Entries = append(v.Entries, record.VectorEntry{Index: 2, Incarnation: 2, Seq: 1<<32 - 1})
	return v
}

func TestVectorRoundTrip(t *testing.T) {
	for name, v := range map[string]record.Vector{"some": someVector(), "empty": {RosterVersion: 1, Salt: fill[[16]byte](1)}} {
		b, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if want := 20 + 16*len(v.Entries); len(b) != want {
			t.Errorf("%s: %d octets, want %d", name, len(b), want)
		}
		var got record.Vector
		if err := got.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestVectorRefuses(t *testing.T) {
	b, err := someVector().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	twice := append(bytes.Clone(b[:36]), b[20:36]...)
	for name, wire := range map[string][]byte{
		"nothing": {}, "half an entry": b[:len(b)-8], "a log twice": twice,
		"out of order": append(append(bytes.Clone(b[:20]), b[36:52]...), b[20:36]...),
		"too long":     make([]byte, 20+16*(record.MaxVectorEntries+1)),
	} {
		var v record.Vector
		if err := v.UnmarshalBinary(wire); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	v := someVector()
	v.Entries[0], v.Entries[1] = v.Entries[1], v.Entries[0]
	if _, err := v.MarshalBinary(); err == nil {
		t.Error("written out of order")
	}
}

// Two heads that look alike under one salt do not under another, so nobody can
// prepare two histories that a comparison takes for one.
func TestSaltedHeadsDiffer(t *testing.T) {
	head := record.Hash{1}
	if record.Salted(fill[[16]byte](1), head) == record.Salted(fill[[16]byte](2), head) {
		t.Error("the salt changes nothing")
	}
}

func TestVectorFind(t *testing.T) {
	v := someVector()
	if e, found := v.Find(2, 2); !found || e.Seq != 1<<32-1 {
		t.Errorf("found %v %v", e, found)
	}
	if _, found := v.Find(2, 3); found {
		t.Error("found a log that is not there")
	}
}

func TestVectorTrim(t *testing.T) {
	var v record.Vector
	for incarnation := range uint16(4200) {
		v.Entries = append(v.Entries, record.VectorEntry{Index: 7, Incarnation: 4200 - incarnation, Seq: 1})
	}
	v.Entries = append(v.Entries, record.VectorEntry{Index: 9, Incarnation: 1, Seq: 5}, record.VectorEntry{Index: 2, Incarnation: 1, Seq: 5})
	if _, err := v.MarshalBinary(); err == nil {
		t.Fatal("written although it is too long")
	}
	v.Trim()
	b, err := v.MarshalBinary()
	if err != nil || len(b) != record.MaxVectorOctets {
		t.Fatalf("%d octets (%v)", len(b), err)
	}
	for _, index := range []uint16{2, 9} {
		if _, found := v.Find(index, 1); !found {
			t.Errorf("the log of %d was left out for those of 7", index)
		}
	}
}

func TestVectorFull(t *testing.T) {
	var v record.Vector
	for i := range uint16(record.MaxLogs) {
		if v.Full(3, 100) {
			t.Errorf("full with %d logs", i)
		}
		v.Entries = append(v.Entries, record.VectorEntry{Index: 3, Incarnation: i + 1})
	}
	if !v.Full(3, 100) || v.Full(3, 5) || v.Full(4, 100) {
		t.Error("full for others, or not at all")
	}
}

func FuzzVector(f *testing.F) {
	b, err := someVector().MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wire []byte) {
		var v record.Vector
		if v.UnmarshalBinary(wire) != nil {
			return
		}
		if again, err := v.MarshalBinary(); err != nil || !bytes.Equal(again, wire) {
			t.Errorf("% x is written as % x (%v)", wire, again, err)
		}
	})
}
