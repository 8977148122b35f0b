package territory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/territory"
)

var update = flag.Bool("update", false, "write the golden files")

func sampleInvitation() territory.Invitation {
	i := territory.Invitation{
		Territory: "demo", MinVersion: 7, Expires: time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC),
		Addresses: []string{"192.0.2.1:7443", "[2001:db8::1]:7443", "valbrume.example:7443"},
	}
	for n := range 16 {
		i.Root[n], i.Hub[n], i.Secret[n] = byte(n), byte(0x40+n), byte(0x80+n)
	}
	return i
}

// vector is one code and what it says.
type vector struct {
	Code       string   `json:"code"`
	Territory  string   `json:"territory"`
	MinVersion uint32   `json:"min_version"`
	Expires    int64    `json:"expires"` // Unix seconds
	Addresses  []string `json:"addresses"`
	Root       []byte   `json:"root"`
	Hub        []byte   `json:"hub"`
	Secret     []byte   `json:"secret"`
	SecretHash []byte   `json:"secret_hash"`
}

func vectorOf(t *testing.T, i territory.Invitation) vector {
	t.Helper()
	code, err := i.Code()
	if err != nil {
		t.Fatal(err)
	}
	hash := i.Secret.Hash()
	return vector{code, string(i.Territory), i.MinVersion, i.Expires.Unix(), i.Addresses, i.Root[:], i.Hub[:], i.Secret[:], hash[:]}
}

func TestInvitationVectors(t *testing.T) {
	short := sampleInvitation()
	short.Territory, short.MinVersion, short.Addresses = "2a", 0, []string{"h:1"}
	made := []vector{vectorOf(t, sampleInvitation()), vectorOf(t, short)}
	const golden = "testdata/invitations.json"
	if *update {
		text, err := json.MarshalIndent(made, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	var want []vector
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("(-golden +made):\n%s", diff)
	}
	for _, v := range want {
		read, err := territory.ParseInvitation(v.Code)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, vectorOf(t, read)); diff != "" {
			t.Errorf("(-golden +read):\n%s", diff)
		}
	}
}

func TestInvitation(t *testing.T) {
	want := sampleInvitation()
	code, err := want.Code()
	if err != nil {
		t.Fatal(err)
	}
	wrapped := " " + code[:20] + "\n  " + code[20:50] + "\t" + code[50:] + "\r\n"
	for _, typed := range []string{code, wrapped} {
		got, err := territory.ParseInvitation(typed)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}
	}
	hash := want.Secret.Hash()
	if !want.Secret.Opens(hash[:]) || (territory.InviteSecret{}).Opens(hash[:]) || want.Secret.Opens(nil) {
		t.Error("a secret opens what it should not, or not what it should")
	}
	if one, other := territory.NewSecret(), territory.NewSecret(); one == other {
		t.Error("two secrets are one")
	}
}

// TestErrInvitation: a code with one part missing or one bit changed is refused,
// and no error repeats it.
func TestErrInvitation(t *testing.T) {
	code, err := sampleInvitation().Code()
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what, typed string) {
		_, err := territory.ParseInvitation(typed)
		if !errors.Is(err, territory.ErrInvitationForm) && !errors.Is(err, territory.ErrInvitationCheck) && !errors.Is(err, territory.ErrInvitationNewer) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && len(typed) > 30 && strings.Contains(err.Error(), typed[20:30]) {
			t.Errorf("%s: the error repeats the code", what)
		}
	}
	for n := range len(code) {
		refuse("cut", code[:n])
		if n > 0 {
			refuse("without its beginning", code[n:])
		}
		for bit := range 8 {
			flipped := []byte(code)
			flipped[n] ^= 1 << bit
			if string(bytes.Join(bytes.Fields(flipped), nil)) == code {
				continue
			}
			refuse("bit", string(flipped))
		}
	}
	for what, typed := range map[string]string{
		"doubled": code + code, "padded": code + "=", "long": strings.Repeat("a", territory.MaxInvitationOctets+1), "other alphabet": strings.Replace(code, "relais-", "relais-+", 1),
	} {
		refuse(what, typed)
	}
}

func TestErrInvitationMade(t *testing.T) {
	for name, breakIt := range map[string]func(*territory.Invitation){
		"NoAddress":     func(i *territory.Invitation) { i.Addresses = nil },
		"NinthAddress":  func(i *territory.Invitation) { i.Addresses = slicesOf("h:1", territory.MaxAddresses+1) },
		"Address":       func(i *territory.Invitation) { i.Addresses = []string{"valbrume"} },
		"LongAddress":   func(i *territory.Invitation) { i.Addresses = []string{strings.Repeat("a", 255) + ":1"} },
		"NoEnd":         func(i *territory.Invitation) { i.Expires = time.Time{} },
		"EndBefore1970": func(i *territory.Invitation) { i.Expires = time.Unix(-1, 0) },
		"EndAfter2106":  func(i *territory.Invitation) { i.Expires = time.Unix(1<<32, 0) },
		"Territory":     func(i *territory.Invitation) { i.Territory = "" },
	} {
		t.Run(name, func(t *testing.T) {
			i := sampleInvitation()
			breakIt(&i)
			if code, err := i.Code(); err == nil || code != "" {
				t.Error("made")
			}
		})
	}
}

// TestLongestInvitation: whatever may be written may be read.
func TestLongestInvitation(t *testing.T) {
	i := sampleInvitation()
	i.Territory = "abcdefgh"
	i.Addresses = slicesOf(strings.Repeat("a", 250)+":7443", territory.MaxAddresses)
	code, err := i.Code()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := territory.ParseInvitation(code); err != nil || !cmp.Equal(got, i) {
		t.Errorf("%d octets: %v", len(code), err)
	}
}

func slicesOf(s string, n int) (list []string) {
	for range n {
		list = append(list, s)
	}
	return list
}

func FuzzInvitation(f *testing.F) {
	code, err := sampleInvitation().Code()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(code)
	f.Add("relais-AQ")
	f.Fuzz(func(t *testing.T, typed string) {
		i, err := territory.ParseInvitation(typed)
		if err != nil {
			return
		}
		code, err := i.Code()
		if err != nil || code != strings.Join(strings.Fields(typed), "") {
			t.Errorf("%q is written %q: %v", typed, code, err)
		}
	})
}
