package territory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"relais/node/territory"
)

func sampleRequest(t testing.TB) territory.Request {
	t.Helper()
	der, lost := identity(t), identity(t)
	h := territory.Hub{
		ID: territory.HubIDOf(der), Name: "Le bus", Identity: der, Witness: bytes.Repeat([]byte{7}, 32), Recipient: "age1example",
		Addresses: []string{"192.0.2.7:7443"}, HostNames: []string{"bus.localhost"}, KioskName: "borne-bus.localhost",
		Assurance: territory.AssuranceTPM, Extra: territory.Extra{"later": json.RawMessage(`1`)},
	}
	return territory.NewRequest("demo", h, identity(t), &territory.Replaced{
		Hub: territory.HubIDOf(lost), Cuts: []territory.Cut{{Incarnation: 1, Seq: 4, Hash: bytes.Repeat([]byte{9}, 32)}},
	})
}

func requestText(t testing.TB, r territory.Request) []byte {
	t.Helper()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRequest(t *testing.T) {
	want := sampleRequest(t)
	got, err := territory.ParseRequest(requestText(t, want), "demo")
	if err != nil || !cmp.Equal(got, want) || got.Fingerprint() != want.Fingerprint() {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
}

func TestErrRequest(t *testing.T) {
	for name, breakIt := range map[string]func(*territory.Request){
		"Format":           func(r *territory.Request) { r.Format = "relais/v2/enrolment" },
		"NoName":           func(r *territory.Request) { r.Hub.Name = "" },
		"Name":             func(r *territory.Request) { r.Hub.Name = "Le bus\x1b[2J" },
		"LongName":         func(r *territory.Request) { r.Hub.Name = strings.Repeat("é", 200) },
		"ID":               func(r *territory.Request) { r.Hub.ID[0]++ },
		"Identity":         func(r *territory.Request) { r.Hub.Identity = nil },
		"Witness":          func(r *territory.Request) { r.Hub.Witness = []byte{1} },
		"Recipient":        func(r *territory.Request) { r.Hub.Recipient = "AGE-SECRET-KEY-1" },
		"Address":          func(r *territory.Request) { r.Hub.Addresses = []string{"192.0.2.7"} },
		"AddressUnseen":    func(r *territory.Request) { r.Hub.Addresses = []string{"a\nb:7443"} },
		"HostName":         func(r *territory.Request) { r.Hub.HostNames = []string{"*.localhost"} },
		"HostNameTwice":    func(r *territory.Request) { r.Hub.KioskName = r.Hub.HostNames[0] },
		"Assurance":        func(r *territory.Request) { r.Hub.Assurance = "best" },
		"Authority":        func(r *territory.Request) { r.Authority = []byte{1} },
		"ReplacesItself":   func(r *territory.Request) { r.Replaces.Hub = r.Hub.ID },
		"ReplacesCut":      func(r *territory.Request) { r.Replaces.Cuts[0].Hash = nil },
		"ReplacesCutTwice": func(r *territory.Request) { r.Replaces.Cuts = append(r.Replaces.Cuts, r.Replaces.Cuts[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			r := sampleRequest(t)
			breakIt(&r)
			if _, err := territory.ParseRequest(requestText(t, r), "demo"); err == nil {
				t.Error("taken")
			}
		})
	}
	text := requestText(t, sampleRequest(t))
	if _, err := territory.ParseRequest(text, "974"); !errors.Is(err, territory.ErrOtherTerritory) {
		t.Errorf("another territory: %v", err)
	}
	for name, text := range map[string][]byte{"empty": nil, "long": append(text, bytes.Repeat([]byte(" "), 16<<10)...), "cut": text[:len(text)/2]} {
		if _, err := territory.ParseRequest(text, "demo"); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// mutate calls f with each field in v changed, one at a time, by its path.
func mutate(v reflect.Value, path string, f func(path string)) {
	try := func(changed reflect.Value) {
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		v.Set(changed.Convert(v.Type()))
		f(path)
		v.Set(before)
	}
	if at, is := v.Interface().(time.Time); is {
		try(reflect.ValueOf(at.Add(time.Second)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			mutate(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Pointer:
		mutate(v.Elem(), path, f)
		try(reflect.Zero(v.Type()))
	case reflect.String:
		try(reflect.ValueOf(v.String() + "x"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		try(reflect.ValueOf(v.Uint() + 1))
	case reflect.Array:
		mutate(v.Index(0), path+"[0]", f)
		mutate(v.Index(v.Len()-1), path+"[last]", f)
	case reflect.Slice:
		if v.Len() > 0 {
			mutate(v.Index(0), path+"[0]", f)
			try(v.Slice(1, v.Len()))
		} else {
			try(reflect.MakeSlice(v.Type(), 1, 1))
		}
	case reflect.Map:
		try(reflect.ValueOf(territory.Extra{"other": json.RawMessage(`2`)}))
	default:
		panic("a field of a kind that this test does not change: " + path)
	}
}

// TestFingerprintCoversAll: whatever is changed of a request, what is read aloud
// changes.
func TestFingerprintCoversAll(t *testing.T) {
	r := sampleRequest(t)
	kept, changes := r.Fingerprint(), 0
	if len(kept) != 19 || strings.Count(kept, " ") != 3 {
		t.Fatalf("fingerprint %q", kept)
	}
	mutate(reflect.ValueOf(&r).Elem(), "Request", func(path string) {
		changes++
		if r.Fingerprint() == kept {
			t.Errorf("%s changes and the fingerprint does not", path)
		}
	})
	if r.Fingerprint() != kept || changes < 30 {
		t.Errorf("%d changes were tried", changes)
	}
}

func TestFits(t *testing.T) {
	r := sampleRequest(t)
	f := r.Fingerprint()
	tolerant := strings.NewReplacer("0", "o", "1", "l")
	for _, typed := range []string{
		f, strings.ToLower(f), strings.ReplaceAll(f, " ", ""), strings.ReplaceAll(f, " ", "-"),
		"  " + f + " ", tolerant.Replace(f), strings.NewReplacer("0", "O", "1", "I").Replace(f),
	} {
		if !r.Fits(typed) {
			t.Errorf("%q does not fit %q", typed, f)
		}
	}
	other := sampleRequest(t)
	swapped := f[5:10] + f[:5] + f[10:]
	for _, typed := range []string{"", " ", f[:18], f + " A", other.Fingerprint(), swapped, f + strings.Repeat(" ", 60), "é" + f} {
		if r.Fits(typed) {
			t.Errorf("%q fits %q", typed, f)
		}
	}
	broken := r
	broken.Hub.Extra = territory.Extra{"name": json.RawMessage(`1`)} // does not encode
	if broken.Fits("") || broken.Fits(broken.Fingerprint()) {
		t.Error("a request without a fingerprint fits")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(requestText(f, sampleRequest(f)))
	f.Add([]byte(`{"format":"relais/v1/enrolment","territory":"demo","hub":{"x":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := territory.ParseRequest(b, "demo")
		if err != nil {
			return
		}
		text := requestText(t, r)
		if len(text) > 16<<10 {
			return // written with more space than it came
		}
		again, err := territory.ParseRequest(text, "demo")
		if err != nil || again.Fingerprint() != r.Fingerprint() || !bytes.Equal(requestText(t, again), text) {
			t.Errorf("a request is not written as it was read: %v", err)
		}
	})
}
