package beacon_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/beacon"
	"relais/node/territory"
)

// signer signs by a key made of one octet.
type signer byte

func (s signer) key() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(s)}, ed25519.SeedSize))
}

func (s signer) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key(), text), nil }

func (s signer) public() []byte { return s.key().Public().(ed25519.PublicKey) }

var sample = beacon.Beacon{
	Hub: territory.HubID{1, 2, 3}, At: time.Date(2026, 11, 25, 9, 0, 0, 4e6, time.UTC), Roster: 7, Hears: []uint16{1, 2, 9, beacon.MaxIndex},
}

func sign(t testing.TB, b beacon.Beacon) []byte {
	t.Helper()
	wire, err := b.Sign("demo", signer(1))
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

func TestBeacon(t *testing.T) {
	for name, b := range map[string]beacon.Beacon{"full": sample, "alone": {Hub: sample.Hub, At: sample.At}} {
		t.Run(name, func(t *testing.T) {
			wire := sign(t, b)
			if len(wire) > beacon.MaxOctets {
				t.Errorf("%d octets", len(wire))
			}
			got, err := beacon.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(b, got); diff != "" {
				t.Error(diff)
			}
			if err := beacon.Verify(wire, "demo", signer(1).public()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestVector freezes the form.
func TestVector(t *testing.T) {
	wire := sign(t, beacon.Beacon{Hub: territory.HubID{15: 1}, At: time.UnixMilli(0x0102030405), Roster: 6, Hears: []uint16{0, 10}})
	const want = "01" + "00000000000000000000000000000001" + "0000000102030405" + "00000006" + "0104"
	if got := hex.EncodeToString(wire[:len(wire)-ed25519.SignatureSize]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAnyFlippedOctet: whatever is altered, nobody takes it for that hub's.
func TestAnyFlippedOctet(t *testing.T) {
	wire := sign(t, sample)
	for i := range wire {
		altered := bytes.Clone(wire)
		altered[i] ^= 1
		if beacon.Verify(altered, "demo", signer(1).public()) == nil {
			t.Errorf("octet %d", i)
		}
	}
}

func TestErrSignature(t *testing.T) {
	wire := sign(t, sample)
	for name, err := range map[string]error{
		"ErrTerritory": beacon.Verify(wire, "other", signer(1).public()),
		"ErrKey":       beacon.Verify(wire, "demo", signer(2).public()),
		"ErrNoKey":     beacon.Verify(wire, "demo", nil),
		"ErrShort":     beacon.Verify(wire[:70], "demo", signer(1).public()),
	} {
		if !errors.Is(err, beacon.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrFormat(t *testing.T) {
	wire := sign(t, beacon.Beacon{Hub: sample.Hub, At: sample.At})
	late := sign(t, beacon.Beacon{Hub: sample.Hub, At: time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)})
	zero := append(append(bytes.Clone(wire[:29]), 0), wire[29:]...)
	for name, bad := range map[string][]byte{
		"ErrEmpty": nil, "ErrShort": wire[1:], "ErrVersion": append([]byte{2}, wire[1:]...), "ErrZero": zero, "ErrLate": late,
		"ErrLong": make([]byte, beacon.MaxOctets+1),
	} {
		if _, err := beacon.Parse(bad); !errors.Is(err, beacon.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: what is read is written the same.
func FuzzParse(f *testing.F) {
	f.Add(sign(f, sample))
	f.Add(sign(f, beacon.Beacon{}))
	f.Fuzz(func(t *testing.T, wire []byte) {
		b, err := beacon.Parse(wire)
		if err != nil {
			return
		}
		again := sign(t, b)
		if end := len(wire) - ed25519.SignatureSize; !bytes.Equal(again[:end], wire[:end]) || len(again) != len(wire) {
			t.Errorf("%x is written %x", wire, again)
		}
	})
}
