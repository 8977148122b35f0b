package record_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"relais/node/record"
	"relais/node/territory"
)

var update = flag.Bool("update", false, "add the vectors that are missing")

// frozen is the SHA-256 of the vectors of version 1. A record that was ever signed
// is read for ever: what is in the file does not change, a new vector is added and
// this with it.
const frozen = "941a0187d93d668e9733ce532122f7b7cea2a38518ec3b960ab8da1ba46f0331"

// vectors let a stranger check an implementation: a key, and per record its
// payload, chain hash and one wire form.
type vectors struct {
	Comment     string
	Territory   string
	PrivateKey  string // SEC 1 DER
	Hub         string
	StopCode    string // 80 bits
	StopShown   string
	Commitment  string
	Records     []recordVector
	VectorWire  string
	VectorEntry string // Salted of a head of 32 times 0x11 under the vector's salt
	ForkedLog   string // LogHash of 11…, 33… (follows it), 22… (follows nobody) at seq 1, 2, 2
}

type recordVector struct{ Name, Payload, ChainHash, Wire string }

const vectorsFile = "testdata/vectors.json"

func TestVectors(t *testing.T) {
	v, key, text := readVectors(t)
	if *update {
		addVectors(t, v, key)
		v, key, text = readVectors(t)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != frozen {
		t.Errorf("the vectors changed: they are now %x", sum)
	}
	bodies := bodies()
	if len(v.Records) != len(bodies) {
		t.Errorf("%d vectors of %d bodies", len(v.Records), len(bodies))
	}
	for _, want := range v.Records {
		t.Run(want.Name, func(t *testing.T) {
			e, err := record.Parse(unhex(t, want.Wire))
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Verify(&key.PublicKey); err != nil {
				t.Error(err)
			}
			payload, err := at(e.Hub, 42, bodies[want.Name]).Encode()
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(payload) != want.Payload || hex.EncodeToString(e.Hash[:]) != want.ChainHash {
				t.Error("payload or chain hash changed: that is another format")
			}
		})
	}
	if code, err := record.ParseStopCode(v.StopShown); err != nil || hex.EncodeToString(code[:]) != v.StopCode {
		t.Errorf("stop code: %v", err)
	} else if c := code.Commitment(demo); hex.EncodeToString(c[:]) != v.Commitment {
		t.Error("commitment changed")
	}
	var vec record.Vector
	if err := vec.UnmarshalBinary(unhex(t, v.VectorWire)); err != nil {
		t.Error(err)
	}
	if head := record.Salted(vec.Salt, elevens()); hex.EncodeToString(head[:]) != v.VectorEntry {
		t.Error("salted head changed")
	}
	if forked := record.LogHash(forkedLog()); hex.EncodeToString(forked[:]) != v.ForkedLog {
		t.Error("hash of a forked log changed")
	}
}

func readVectors(t *testing.T) (v vectors, key *ecdsa.PrivateKey, text []byte) {
	t.Helper()
	text, err := os.ReadFile(vectorsFile)
	if err == nil {
		err = json.Unmarshal(text, &v)
	}
	if err == nil {
		key, err = x509.ParseECPrivateKey(unhex(t, v.PrivateKey))
	}
	if err != nil {
		t.Fatal(err)
	}
	return v, key, text
}

// addVectors adds what has no vector yet, signed with the key of the others.
func addVectors(t *testing.T, v vectors, key *ecdsa.PrivateKey) {
	t.Helper()
	for name, body := range bodies() {
		if slices.ContainsFunc(v.Records, func(have recordVector) bool { return have.Name == name }) {
			continue
		}
		v.Records = append(v.Records, vectorOf(t, key, name, at(territory.HubIDOf(spki(t, key)), 42, body)))
	}
	slices.SortFunc(v.Records, func(a, b recordVector) int { return strings.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func vectorOf(t *testing.T, key *ecdsa.PrivateKey, name string, r record.Record) recordVector {
	t.Helper()
	wire := sign(t, key, r)
	e, err := record.Parse(wire)
	if err != nil {
		t.Fatal(err)
	}
	return recordVector{name, hex.EncodeToString(e.Payload), hex.EncodeToString(e.Hash[:]), hex.EncodeToString(wire)}
}

// forkedLog is a log that two histories made: by seq, then by hash.
func forkedLog() []record.Variant {
	one := elevens()
	return []record.Variant{
		{Seq: 1, Hash: one},
		{Seq: 2, Hash: hashOf(0x22)},
		{Seq: 2, Hash: hashOf(0x33), Prev: [16]byte(one[:16])},
	}
}

func elevens() record.Hash { return hashOf(0x11) }

// hashOf is a hash of 32 times an octet.
func hashOf(b byte) (h record.Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzParse: whatever is accepted is written back byte for byte, and read as the
// same record.
func FuzzParse(f *testing.F) {
	key, hub := newKey(f)
	for _, body := range bodies() {
		f.Add(sign(f, key, at(hub, 42, body)))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		e, err := record.Parse(wire)
		if err != nil {
			return
		}
		payload, err := e.Encode()
		if err != nil {
			t.Fatalf("accepted, and not encoded again: %v", err)
		}
		if got := record.Assemble(e.Hub, payload, e.Signature); string(got) != string(wire) {
			t.Errorf("% x\nis written as\n% x", wire, got)
		}
	})
}
