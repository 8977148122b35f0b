package journal_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"relais/node/journal"
)

var update = flag.Bool("update", false, "rewrite the vectors")

// sample is an entry with every part.
func sample() journal.Entry {
	e := journal.Entry{
		At: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Kind: journal.KindMandateGrant,
		Actor: "a_7K3M9QXD4T2PHW8V57K3M9QXD4", Subject: "m_0123456789ABCDEFGHJKMNPQRS",
		Person: [16]byte{1, 2, 3}, Public: []byte{0xa1, 0x64, 'l', 'i', 'n', 'e', 0x02}, Sealed: []byte("sealed"),
	}
	e.MAC = journal.MAC([journal.SaltSize]byte{9}, []byte("personal"))
	return e
}

// vector is a leaf that later versions, and other programs, must make.
type vector struct {
	Name string `json:"name"`
	Leaf string `json:"leaf"`
}

func TestLeafVectors(t *testing.T) {
	bare := sample()
	bare.Person, bare.MAC, bare.Sealed = [16]byte{}, [32]byte{}, nil
	var got []vector
	for _, c := range []struct {
		name  string
		entry journal.Entry
	}{{"personal", sample()}, {"bare", bare}, {"empty", journal.Entry{At: time.UnixMilli(0)}}} {
		leaf, err := c.entry.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, vector{c.name, hex.EncodeToString(leaf)})
	}
	text, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/leaves.json"
	if *update {
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(text)+"\n" {
		t.Errorf("the leaf changed; got\n%s", text)
	}
}

func TestEveryPartIsInTheLeaf(t *testing.T) {
	whole, err := sample().Leaf()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*journal.Entry){
		"At":      func(e *journal.Entry) { e.At = e.At.Add(time.Millisecond) },
		"Kind":    func(e *journal.Entry) { e.Kind = journal.KindMandateEnd },
		"Actor":   func(e *journal.Entry) { e.Actor += "X" },
		"Subject": func(e *journal.Entry) { e.Subject = "" },
		"Person":  func(e *journal.Entry) { e.Person[15]++ },
		"Public":  func(e *journal.Entry) { e.Public = e.Public[:1] },
		"MAC":     func(e *journal.Entry) { e.MAC[0]++ },
		"Sealed":  func(e *journal.Entry) { e.Sealed = []byte("sealee") },
		"moved from actor to subject": func(e *journal.Entry) {
			e.Actor, e.Subject = e.Actor[:3], e.Actor[3:]+e.Subject
		},
	} {
		e := sample()
		change(&e)
		leaf, err := e.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		if string(leaf) == string(whole) {
			t.Errorf("%s is not in the leaf", name)
		}
	}
}

func TestMAC(t *testing.T) {
	salt := [journal.SaltSize]byte{1}
	h := hmac.New(sha256.New, salt[:])
	h.Write([]byte("relais/v1/personalx"))
	if got := journal.MAC(salt, []byte("x")); string(got[:]) != string(h.Sum(nil)) {
		t.Errorf("%x", got)
	}
	if journal.MAC(salt, []byte("x")) == journal.MAC([journal.SaltSize]byte{2}, []byte("x")) {
		t.Error("the salt changes nothing")
	}
}

func TestEncodeIsCanonical(t *testing.T) {
	a, err := journal.Encode(map[string]any{"b": 1, "a": "x", "ccc": true})
	if err != nil {
		t.Fatal(err)
	}
	const want = "a361616178616201" + "63636363f5" // RFC 8949 §4.2.1: by octets of the key
	if got := hex.EncodeToString(a); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
