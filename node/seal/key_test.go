package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"relais/node/seal"
)

var (
	secret = bytes.Repeat([]byte{7}, seal.KeySize)
	store  = seal.StoreID{1, 2, 3}
	place  = seal.Place{Table: "helpers", Row: "a_1", Column: "name", Version: 1}
)

// vector is "bonjour", sealed by key 1.
const vector = "01000000010fdbc714f933986a6baebdc5c560f6edb3b89a0b60681ced5c3908d36808c88da7624272bea506065bd14fd4a297db"

func newKey(t testing.TB, id uint32, secret []byte) seal.Key {
	t.Helper()
	key, err := seal.NewKey(id, secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealThenOpen(t *testing.T) {
	key := newKey(t, 1, secret)
	for _, plain := range []string{"", "x", "Camille", strings.Repeat("Camille ", 1000)} {
		sealed := key.Seal(store, place, []byte(plain))
		if len(sealed) != len(plain)+seal.Overhead {
			t.Errorf("%d octets became %d, want %d more", len(plain), len(sealed), seal.Overhead)
		}
		if len(plain) > 4 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the ciphertext holds the plaintext")
		}
		got, err := key.Open(store, place, sealed)
		if err != nil || string(got) != plain {
			t.Errorf("Open(Seal(%.10q…)) = %.10q…, %v", plain, got, err)
		}
	}
}

// A ciphertext made by the first version of this package must always open.
func TestVector(t *testing.T) {
	sealed, err := hex.DecodeString(vector)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newKey(t, 1, secret).Open(store, place, sealed)
	if err != nil || string(got) != "bonjour" {
		t.Errorf("Open(vector) = %q, %v", got, err)
	}
}

func TestSealNeverRepeats(t *testing.T) {
	key := newKey(t, 1, secret)
	a, b := key.Seal(store, place, []byte("x")), key.Seal(store, place, []byte("x"))
	if bytes.Equal(a, b) {
		t.Error("one plaintext sealed twice gave one ciphertext: the nonce is not fresh")
	}
}

func TestOpenRefuses(t *testing.T) {
	key := newKey(t, 1, secret)
	sealed := key.Seal(store, place, []byte("Camille"))
	moved := func(f func(*seal.Place)) seal.Place { p := place; f(&p); return p }
	other := bytes.Repeat([]byte{8}, seal.KeySize)
	for _, c := range []struct {
		name   string
		key    seal.Key
		store  seal.StoreID
		at     seal.Place
		sealed []byte
		want   error
	}{
		{"ErrAltered other store", key, seal.StoreID{9}, place, sealed, seal.ErrAltered},
		{"ErrAltered other table", key, store, moved(func(p *seal.Place) { p.Table = "people" }), sealed, seal.ErrAltered},
		{"ErrAltered other row", key, store, moved(func(p *seal.Place) { p.Row = "a_2" }), sealed, seal.ErrAltered},
		{"ErrAltered other column", key, store, moved(func(p *seal.Place) { p.Column = "login" }), sealed, seal.ErrAltered},
		{"ErrAltered other version", key, store, moved(func(p *seal.Place) { p.Version = 2 }), sealed, seal.ErrAltered},
		{"ErrAltered texts shifted", key, store, moved(func(p *seal.Place) { p.Table, p.Row = "helpersa", "_1" }), sealed, seal.ErrAltered},
		{"ErrAltered other secret", newKey(t, 1, other), store, place, sealed, seal.ErrAltered},
		{"ErrOtherKey", newKey(t, 2, secret), store, place, sealed, seal.ErrOtherKey},
		{"ErrFormat empty", key, store, place, nil, seal.ErrFormat},
		{"ErrFormat short", key, store, place, sealed[:seal.Overhead-1], seal.ErrFormat},
		{"ErrFormat later version", key, store, place, append([]byte{2}, sealed[1:]...), seal.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain, err := c.key.Open(c.store, c.at, c.sealed)
			if !errors.Is(err, c.want) || plain != nil {
				t.Errorf("Open = %q, %v; want %v", plain, err, c.want)
			}
		})
	}
}

func TestOpenRefusesEveryFlippedBit(t *testing.T) {
	key := newKey(t, 1, secret)
	sealed := key.Seal(store, place, []byte("Camille"))
	for i := range sealed {
		for bit := range 8 {
			sealed[i] ^= 1 << bit
			if _, err := key.Open(store, place, sealed); err == nil {
				t.Errorf("octet %d bit %d flipped: it still opens", i, bit)
			}
			sealed[i] ^= 1 << bit
		}
	}
}

func TestErrorsHideTheRow(t *testing.T) {
	_, err := newKey(t, 1, secret).Open(store, place, []byte("x"))
	if err == nil || strings.Contains(err.Error(), place.Row) || !strings.Contains(err.Error(), "helpers.name") {
		t.Errorf("error %q: want the table and column, and no row", err)
	}
}

func TestNewKeyErrLength(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := seal.NewKey(1, make([]byte, n)); err == nil {
			t.Errorf("a secret of %d octets made a key", n)
		}
	}
}

// FuzzOpen: nothing that this key did not seal opens, and nothing panics.
func FuzzOpen(f *testing.F) {
	key := newKey(f, 1, secret)
	foreign := newKey(f, 1, bytes.Repeat([]byte{8}, seal.KeySize))
	f.Add(foreign.Seal(store, place, []byte("Camille")), "helpers", "a_1", "name", uint32(1))
	f.Add([]byte{1}, "", "", "", uint32(0))
	f.Fuzz(func(t *testing.T, sealed []byte, table, row, column string, version uint32) {
		at := seal.Place{Table: table, Row: row, Column: column, Version: version}
		if plain, err := key.Open(store, at, sealed); err == nil {
			t.Errorf("%q opened to %q at %+v", sealed, plain, at)
		}
		again, err := key.Open(store, at, key.Seal(store, at, sealed))
		if err != nil || !bytes.Equal(again, sealed) {
			t.Errorf("a sealed value came back as %q, %v", again, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	key := newKey(b, 1, secret)
	plain := make([]byte, 256)
	for b.Loop() {
		key.Seal(store, place, plain)
	}
}

// TestPurposes: a purpose that is not listed would have tags that a rekey loses.
func TestPurposes(t *testing.T) {
	source, err := os.ReadFile("seal.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tPurpose\w+ +Purpose = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	if len(declared) < 5 || len(declared) != len(seal.Purposes()) {
		t.Errorf("%d purposes are declared, %d listed", len(declared), len(seal.Purposes()))
	}
	for _, d := range declared {
		if !slices.Contains(seal.Purposes(), seal.Purpose(d[1])) {
			t.Errorf("purpose %q is not listed", d[1])
		}
	}
}

func TestKeyID(t *testing.T) {
	sealed := newKey(t, 258, secret).Seal(store, place, nil)
	if id, err := seal.KeyID(sealed); id != 258 || err != nil {
		t.Errorf("KeyID = %d, %v; want 258", id, err)
	}
	for name, c := range map[string][]byte{"empty": nil, "short": sealed[:seal.Overhead-1], "later version": append([]byte{2}, sealed[1:]...)} {
		if _, err := seal.KeyID(c); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}
