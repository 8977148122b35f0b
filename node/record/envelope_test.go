package record_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/veraison/go-cose"

	"relais/node/label"
	"relais/node/record"
	"relais/node/territory"
)

func sign(t testing.TB, key crypto.Signer, r record.Record) (wire []byte) {
	t.Helper()
	payload, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	signature, err := record.Sign(key, r.Territory, r.Hub, payload)
	if err != nil {
		t.Fatal(err)
	}
	return record.Assemble(r.Hub, payload, signature)
}

func TestRoundTrip(t *testing.T) {
	key, hub := newKey(t)
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			r := at(hub, 1<<32-1, body)
			r.Territory = "abcdefgh"
			r.Incarnation = 65535
			wire := sign(t, key, r)
			if len(wire) > record.MaxOctets {
				t.Errorf("%d octets on the wire", len(wire))
			}
			e, err := record.Parse(wire)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, e.Record); diff != "" {
				t.Errorf("read differs from written (-want +got):\n%s", diff)
			}
			if err := e.Verify(&key.PublicKey); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(e.Wire(), wire) {
				t.Error("Wire is not what was parsed")
			}
		})
	}
}

// go-cose wrote the signature; here it also reads the record, as a stranger would.
func TestAgainstGoCOSE(t *testing.T) {
	key, hub := newKey(t)
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range bodies() {
		t.Run(name, func(t *testing.T) {
			wire := sign(t, key, at(hub, 9, body))
			var msg cose.Sign1Message
			if err := msg.UnmarshalCBOR(wire); err != nil {
				t.Fatal(err)
			}
			if err := msg.Verify([]byte(string(label.Record)+string(demo)), verifier); err != nil {
				t.Error(err)
			}
			if kid := msg.Headers.Protected[cose.HeaderLabelKeyID]; !bytes.Equal(kid.([]byte), hub[:]) {
				t.Errorf("kid %x, want %x", kid, hub)
			}
			again, err := msg.MarshalCBOR()
			if err != nil || !bytes.Equal(again, wire) {
				t.Errorf("go-cose writes it otherwise (%v)", err)
			}
		})
	}
}

// The payload is what RFC 8949 §4.2.1 asks for.
func TestPayloadIsDeterministic(t *testing.T) {
	_, hub := newKey(t)
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range bodies() {
		payload, err := at(hub, 24, body).Encode()
		if err != nil {
			t.Fatal(err)
		}
		var any any
		if err := cbor.Unmarshal(payload, &any); err != nil {
			t.Fatal(err)
		}
		if again, err := mode.Marshal(any); err != nil || !bytes.Equal(again, payload) {
			t.Errorf("%s: another deterministic encoding exists (%v)", name, err)
		}
	}
}

func TestErrSignature(t *testing.T) {
	key, hub := newKey(t)
	other, _ := newKey(t)
	wire := sign(t, key, at(hub, 1, notice(1)))

	t.Run("another key", func(t *testing.T) {
		e, err := record.Parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Verify(&other.PublicKey); !errors.Is(err, record.ErrSignature) {
			t.Errorf("got %v", err)
		}
		if err := e.Verify(nil); !errors.Is(err, record.ErrSignature) {
			t.Errorf("no key: got %v", err)
		}
	})
	t.Run("one bit of anything", func(t *testing.T) {
		for bit := range 8 * len(wire) {
			altered := bytes.Clone(wire)
			altered[bit/8] ^= 1 << (bit % 8)
			e, err := record.Parse(altered)
			if err == nil && e.Verify(&key.PublicKey) == nil {
				t.Fatalf("accepted with bit %d flipped", bit)
			}
		}
	})
	t.Run("signed for another territory", func(t *testing.T) {
		r := at(hub, 1, notice(1))
		payload, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.Sign(key, "other", hub, payload); !errors.Is(err, record.ErrSignature) {
			t.Errorf("got %v", err)
		}
	})
}

// highS is a key that signs as half of all keys do.
type highS struct{ *ecdsa.PrivateKey }

func (k highS) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if o == nil || o.HashFunc() != crypto.SHA256 {
		return nil, errors.New("asked to sign without the name of the hash")
	}
	return k.PrivateKey.Sign(r, digest, o)
}

func TestLowS(t *testing.T) {
	key, hub := newKey(t)
	r := at(hub, 1, notice(1))
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	for range 40 {
		wire := sign(t, highS{key}, r)
		s := new(big.Int).SetBytes(wire[len(wire)-32:])
		if s.Cmp(half) > 0 {
			t.Fatal("signed high-S")
		}
		// The other signature of the same payload: valid ECDSA, and refused.
		twin := bytes.Clone(wire)
		s.Sub(elliptic.P256().Params().N, s).FillBytes(twin[len(twin)-32:])
		if _, err := record.Parse(twin); !errors.Is(err, record.ErrNotRecord) {
			t.Fatalf("high-S: got %v", err)
		}
	}
}

// TestOddEncodings builds what go-cose takes for the same record, and shows that
// only one of them is a record.
func TestOddEncodings(t *testing.T) {
	key, hub := newKey(t)
	wire := sign(t, key, at(hub, 1, notice(1)))
	const payloadAt = 3 + 21 + 1
	length := wire[payloadAt+1]
	payload := wire[payloadAt+2 : payloadAt+2+int(length)]
	tail := wire[payloadAt+2+int(length):]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	head := wire[:3+21]

	odd := map[string][]byte{
		"unprotected header":        join(head, []byte{0xa1, 0x05, 0x01, 0x58, length}, payload, tail),
		"payload length in 2":       join(head, []byte{0xa0, 0x59, 0, length}, payload, tail),
		"protected length in 1":     join([]byte{0xd2, 0x84, 0x58, 0x15}, wire[3:]),
		"tag in 1":                  join([]byte{0xd8, 0x12}, wire[1:]),
		"array of indefinite size":  join([]byte{0xd2, 0x9f}, wire[2:], []byte{0xff}),
		"signature length in 2":     join(wire[:len(wire)-66], []byte{0x59, 0, 64}, wire[len(wire)-64:]),
		"one octet more":            join(wire, []byte{0}),
		"one octet less":            wire[:len(wire)-1],
		"without tag":               wire[1:],
		"nothing":                   {},
		"payload absent (detached)": join(head, []byte{0xa0, 0xf6}, tail),
	}
	var msg cose.Sign1Message
	taken := 0
	for name, w := range odd {
		if msg.UnmarshalCBOR(w) == nil {
			taken++
		}
		if _, err := record.Parse(w); !errors.Is(err, record.ErrNotRecord) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if taken < 3 {
		t.Errorf("go-cose takes %d of these, so the test shows little", taken)
	}
}

// TestOddPayloads signs payloads that a lax decoder takes for the same record.
func TestOddPayloads(t *testing.T) {
	key, hub := newKey(t)
	good, err := at(hub, 1, revocation(1, 5)).Encode()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) []byte {
		t.Helper()
		if bytes.Count(good, []byte(old)) != 1 {
			t.Fatalf("% x appears %d times in % x", old, bytes.Count(good, []byte(old)), good)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	body := good[bytes.Index(good, []byte("\x86\x50")):]
	refused := map[string][]byte{
		"version in 2 octets":      append([]byte{0x88, 0x18, 0x01}, good[2:]...),
		"kind 0":                   replace("\x88\x01\x02", "\x88\x01\x00"),
		"version 0":                replace("\x88\x01\x02", "\x88\x00\x02"),
		"seq 0":                    replace("demo\x01\x01", "demo\x01\x00"),
		"seq as float":             replace("demo\x01\x01", "demo\x01\xf9\x3c\x00"),
		"seq of 33 bits":           replace("demo\x01\x01", "demo\x01\x1b\x00\x00\x00\x01\x00\x00\x00\x00"),
		"incarnation null":         replace("demo\x01\x01", "demo\xf6\x01"),
		"territory in capitals":    replace("\x64demo", "\x64DEMO"),
		"territory as octets":      replace("\x64demo", "\x44demo"),
		"an item more":             append(append([]byte{0x89}, good[1:]...), 0x01),
		"an item less":             append([]byte{0x87}, good[1:len(good)-len(body)]...),
		"octets after":             append(bytes.Clone(good), 0x00),
		"body with a map":          append(bytes.Clone(good[:len(good)-len(body)]), 0xa0),
		"body with a tag":          append(bytes.Clone(good[:len(good)-len(body)]), 0xc0, 0x00),
		"body with a float":        append(bytes.Clone(good[:len(good)-len(body)]), 0xf9, 0x3c, 0x00),
		"body of indefinite size":  append(bytes.Clone(good[:len(good)-len(body)]), 0x9f, 0xff),
		"body with undefined":      append(bytes.Clone(good[:len(good)-len(body)]), 0xf7),
		"body not UTF-8":           append(bytes.Clone(good[:len(good)-len(body)]), 0x61, 0xff),
		"body nested too deep":     append(bytes.Clone(good[:len(good)-len(body)]), 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00),
		"integer in two octets":    append(bytes.Clone(good[:len(good)-len(body)]), 0x81, 0x18, 0x05),
		"byte string in two heads": append(bytes.Clone(good[:len(good)-len(body)]), 0x58, 0x01, 0xaa),
	}
	for name, payload := range refused {
		if _, err := record.Parse(forge(t, key, hub, payload)); !errors.Is(err, record.ErrNotRecord) {
			t.Errorf("%s: got %v", name, err)
		}
	}

	// In canonical spelling, but not what a revocation is: kept, and mute.
	inert := map[string][]byte{
		"mandate of 8 octets":    replace("\x50"+string(bytes.Repeat([]byte{1}, 16)), "\x48"+string(bytes.Repeat([]byte{1}, 8))),
		"mandate null":           replace("\x50"+string(bytes.Repeat([]byte{1}, 16)), "\xf6"),
		"a sixth item and a bit": append(append(bytes.Clone(good[:len(good)-len(body)]), 0x87), append(bytes.Clone(body[1:]), 0x00)...),
		"lines null":             bytes.Replace(good, []byte("\x01\x05\x01"), []byte("\x01\xf6\x01"), 1),
	}
	for name, payload := range inert {
		e, err := record.Parse(forge(t, key, hub, payload))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, unread := e.Body.(*record.Unknown); !unread {
			t.Errorf("%s: read as %T", name, e.Body)
		}
		if err := e.Verify(&key.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// forge signs any payload as its author could.
func forge(t testing.TB, key *ecdsa.PrivateKey, hub territory.HubID, payload []byte) []byte {
	t.Helper()
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		t.Fatal(err)
	}
	for {
		msg := cose.NewSign1Message()
		msg.Headers.Protected.SetAlgorithm(cose.AlgorithmES256)
		msg.Headers.Protected[cose.HeaderLabelKeyID] = hub[:]
		msg.Payload = payload
		if err := msg.Sign(rand.Reader, []byte(string(label.Record)+string(demo)), signer); err != nil {
			t.Fatal(err)
		}
		s := new(big.Int).SetBytes(msg.Signature[32:])
		if s.Cmp(new(big.Int).Rsh(elliptic.P256().Params().N, 1)) > 0 {
			continue
		}
		wire, err := msg.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		return wire
	}
}

func TestChainHashIgnoresTheSignature(t *testing.T) {
	key, hub := newKey(t)
	r := at(hub, 1, notice(1))
	one, err := record.Parse(sign(t, key, r))
	if err != nil {
		t.Fatal(err)
	}
	two, err := record.Parse(sign(t, key, r))
	if err != nil {
		t.Fatal(err)
	}
	if one.Signature == two.Signature {
		t.Fatal("two signatures are equal, so the test shows nothing")
	}
	if one.Hash != two.Hash {
		t.Error("two signatures of one payload make two records")
	}
}

func TestEncodeRefuses(t *testing.T) {
	_, hub := newKey(t)
	refused := map[string]record.Record{
		"no body":             {Territory: demo, Place: record.Place{Seq: 1}, Kind: record.KindNotice},
		"kind and body apart": func() record.Record { r := at(hub, 1, notice(1)); r.Kind = record.KindFloor; return r }(),
		"seq 0":               at(hub, 0, notice(1)),
		"time before 1970":    func() record.Record { r := at(hub, 1, notice(1)); r.Time = morning.AddDate(-100, 0, 0); return r }(),
		"territory":           func() record.Record { r := at(hub, 1, notice(1)); r.Territory = "Démo"; return r }(),
		"13 cuts":             at(hub, 1, &record.Close{Cuts: make([]record.Position, 13)}),
		"no cut":              at(hub, 1, &record.Close{}),
		"cuts out of order":   at(hub, 1, &record.Close{Cuts: []record.Position{{Index: 2}, {Index: 1}}}),
		"odd unknown":         at(hub, 1, &record.Unknown{Of: 9, Version: 1, Raw: []byte{0x18, 0x01}}),
		"too long":            at(hub, 1, &record.Unknown{Of: 9, Version: 1, Raw: append([]byte{0x58, 160}, make([]byte, 160)...)}),
	}
	for name, r := range refused {
		if _, err := r.Encode(); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
}
