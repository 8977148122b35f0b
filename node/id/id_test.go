package id_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"relais/node/id"
)

type cat struct{}

func (cat) Prefix() string { return "c" }

type dog struct{}

func (dog) Prefix() string { return "d" }

func TestShownForm(t *testing.T) {
	i := id.ID[cat]{0xff, 0x01}
	const leftOver = "c_ZW0G0000000000000000000001"
	if got := i.String(); len(got) != 2+26 {
		t.Errorf("shown as %s", got)
	}
	back, err := id.Parse[cat](strings.ToLower(i.String()))
	if err != nil || back != i {
		t.Errorf("read back as %s: %v", back, err)
	}
	if _, err := id.Parse[cat](leftOver); err == nil {
		t.Error("left-over bits: two spellings of one identifier")
	}
}

func TestParseRefuses(t *testing.T) {
	good := id.New[cat]().String()
	for name, s := range map[string]string{
		"empty": "", "no prefix": good[2:], "another prefix": "d" + good[1:], "too short": good[:len(good)-2],
		"too long": good + "00", "not a symbol": good[:5] + "U" + good[6:], "check symbol": good[:5] + "*" + good[6:],
	} {
		if _, err := id.Parse[cat](s); err == nil {
			t.Errorf("%s: %q was read", name, s)
		}
	}
	if _, err := id.Parse[dog](good); err == nil {
		t.Error("a cat was read as a dog")
	}
}

func TestZeroAndNew(t *testing.T) {
	var none id.ID[cat]
	if !none.IsZero() || id.New[cat]().IsZero() {
		t.Error("IsZero")
	}
	if one, other := id.New[cat](), id.New[cat](); one == other {
		t.Error("two random identifiers are equal")
	}
	if id.Random[id.ID[dog]]().IsZero() {
		t.Error("Random made none")
	}
}

func TestJSON(t *testing.T) {
	i := id.New[cat]()
	b, err := json.Marshal(map[string]id.ID[cat]{"id": i})
	if err != nil {
		t.Fatal(err)
	}
	var back map[string]id.ID[cat]
	if err := json.Unmarshal(b, &back); err != nil || back["id"] != i {
		t.Errorf("%s read back as %s: %v", b, back["id"], err)
	}
}

func TestCrockford(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "octets")
		s := id.Encode(b)
		back, err := id.Decode(s)
		if err != nil || !bytes.Equal(back, b) {
			t.Fatalf("% x is written %s and read % x: %v", b, s, back, err)
		}
		if spoken, err := id.Decode(strings.NewReplacer("0", "o", "1", "l").Replace(strings.ToLower(s))); err != nil || !bytes.Equal(spoken, b) {
			t.Fatalf("as people write it: % x, %v", spoken, err)
		}
	})
}

// The check symbol of Crockford's page: the value modulo 37.
func TestCheckSymbol(t *testing.T) {
	for value, want := range map[uint8]byte{0: '0', 10: 'A', 31: 'Z', 32: '*', 33: '~', 34: '$', 35: '=', 36: 'U', 37: '0', 255: '~'} {
		if got := id.CheckSymbol([]byte{value}); got != want {
			t.Errorf("%d: %c, want %c", value, got, want)
		}
	}
	if id.CheckSymbol([]byte{1, 0}) != "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"[256%37] {
		t.Error("two octets are not one number")
	}
	if !id.IsCheckSymbol('u', []byte{36}) || id.IsCheckSymbol('é', []byte{36}) || id.IsCheckSymbol('V', []byte{36}) {
		t.Error("IsCheckSymbol")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("7K3M-9QXD-4T2P-HW8V")
	f.Fuzz(func(t *testing.T, s string) {
		b, err := id.Decode(s)
		if err != nil {
			return
		}
		if back, err := id.Decode(id.Encode(b)); err != nil || !bytes.Equal(back, b) {
			t.Errorf("%q is % x, which is read back as % x: %v", s, b, back, err)
		}
	})
}
