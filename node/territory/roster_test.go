package territory_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"relais/node/id"
	"relais/node/territory"
)

func newRoot(t testing.TB) (note.Signer, string) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "relais-demo")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, public
}

func identity(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// sample is a roster with something everywhere.
func sample(t testing.TB) *territory.Roster {
	t.Helper()
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	r := &territory.Roster{
		Territory: "demo", Name: "Territoire de démonstration", Zone: "Europe/Paris", Version: 3,
		IssuedAt: at, ExpiresAt: at.AddDate(1, 0, 0), NextRoot: make([]byte, 32),
	}
	for i, name := range []string{"Valbrume", "Port-Exemple"} {
		der := identity(t)
		r.Hubs = append(r.Hubs, territory.Hub{
			Index: uint16(i), ID: territory.HubIDOf(der), Name: name, Identity: der, Witness: make([]byte, 32),
			Recipient: "age1example", Addresses: []string{"192.0.2.1:7443"}, HostNames: []string{strings.ToLower(name) + ".localhost"},
			Assurance: territory.AssuranceTPM, State: territory.HubActive,
		})
	}
	r.Hubs[0].KioskName = "borne.localhost"
	r.Hubs[1].State = territory.HubExpelled
	r.Hubs[1].Cuts = []territory.Cut{{Incarnation: 1, Seq: 9, Hash: make([]byte, 32)}}
	der := identity(t)
	r.National = &territory.National{Index: 9, ID: territory.HubIDOf(der), Name: "Service national", Identity: der, URL: "https://localhost:7444"}
	r.Structures = []territory.Structure{{
		ID: id.Random[territory.StructureID](), Name: "France Services", SIRET: "12345678901234", State: territory.StructureOpen,
		Scopes: []string{"argent", "social"}, Serving: []territory.HubID{r.Hubs[0].ID},
	}}
	return r
}

func TestSignThenOpen(t *testing.T) {
	root, public := newRoot(t)
	want := sample(t)
	signed, err := want.Sign(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := territory.OpenRoster(signed, public)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("opened differs from signed (-want +got):\n%s", diff)
	}
}

func TestErrForged(t *testing.T) {
	root, _ := newRoot(t)
	_, other := newRoot(t)
	signed, err := sample(t).Sign(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := territory.OpenRoster(signed, other); !errors.Is(err, territory.ErrForged) {
		t.Errorf("another root: %v", err)
	}
	_, public := newRoot(t)
	for name, b := range map[string][]byte{
		"altered": bytes.Replace(signed, []byte("Valbrume"), []byte("Valbrune"), 1), "empty": nil, "unsigned": signed[:bytes.LastIndex(signed, []byte("\n\n"))+2],
	} {
		if _, err := territory.OpenRoster(b, public); !errors.Is(err, territory.ErrForged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := territory.OpenRoster(make([]byte, 2<<20), public); err == nil {
		t.Error("two megabytes were read")
	}
	if _, err := territory.OpenRoster(signed, "not a key"); err == nil {
		t.Error("read without a root key")
	}
}

// TestUnknownMembersAreKept: a roster made by a later version passes through the
// hands of this one unharmed, at every level.
func TestUnknownMembersAreKept(t *testing.T) {
	root, public := newRoot(t)
	text, err := json.Marshal(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	plant := func(o any) { o.(map[string]any)["later"] = map[string]any{"deep": []any{1.5, "é<>&"}} }
	hubs := tree["hubs"].([]any)
	plant(tree)
	plant(hubs[0])
	plant(hubs[1].(map[string]any)["cuts"].([]any)[0])
	plant(tree["structures"].([]any)[0])
	plant(tree["national"])
	if text, err = json.MarshalIndent(tree, "", "  "); err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: string(text) + "\n"}, root)
	if err != nil {
		t.Fatal(err)
	}
	r, err := territory.OpenRoster(signed, public)
	if err != nil {
		t.Fatal(err)
	}
	r.Version++
	again, err := r.Sign(root)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(again, []byte(`"later"`)); n != 5 {
		t.Errorf("%d of 5 unknown members were kept:\n%s", n, again)
	}
	back, err := territory.OpenRoster(again, public)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMemberInAnotherCase(t *testing.T) {
	var h territory.Hub
	if err := json.Unmarshal([]byte(`{"State":"active"}`), &h); err == nil {
		t.Error("State was taken for state")
	}
	h.Extra = territory.Extra{"state": json.RawMessage(`"active"`)}
	if _, err := json.Marshal(h); err == nil {
		t.Error("a member was written twice")
	}
}

func TestTimesAreUTC(t *testing.T) {
	text, err := json.Marshal(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var r territory.Roster
	if err := json.Unmarshal(bytes.Replace(text, []byte("08:00:00Z"), []byte("09:00:00+01:00"), 1), &r); err != nil {
		t.Fatal(err)
	}
	if r.IssuedAt.Location() != time.UTC || r.IssuedAt.Hour() != 8 {
		t.Errorf("read as %s", r.IssuedAt)
	}
}

func TestValidate(t *testing.T) {
	if err := sample(t).Validate(); err != nil {
		t.Fatal(err)
	}
	for name, breakIt := range map[string]func(*territory.Roster){
		"Code":              func(r *territory.Roster) { r.Territory = "Démo" },
		"LongCode":          func(r *territory.Roster) { r.Territory = "ninechars" },
		"NoName":            func(r *territory.Roster) { r.Name = "" },
		"Zone":              func(r *territory.Roster) { r.Zone = "Europe/Valbrume" },
		"LocalZone":         func(r *territory.Roster) { r.Zone = "Local" },
		"Version0":          func(r *territory.Roster) { r.Version = 0 },
		"NotUTC":            func(r *territory.Roster) { r.IssuedAt = r.IssuedAt.In(time.FixedZone("x", 3600)) },
		"ExpiresFirst":      func(r *territory.Roster) { r.ExpiresAt = r.IssuedAt },
		"NextRoot":          func(r *territory.Roster) { r.NextRoot = make([]byte, 31) },
		"HubNoName":         func(r *territory.Roster) { r.Hubs[0].Name = "" },
		"HubIndexTwice":     func(r *territory.Roster) { r.Hubs[1].Index = r.Hubs[0].Index },
		"HubTwice":          func(r *territory.Roster) { r.Hubs[1] = r.Hubs[0]; r.Hubs[1].Index = 7 },
		"HubID":             func(r *territory.Roster) { r.Hubs[0].ID[0]++ },
		"HubKey":            func(r *territory.Roster) { r.Hubs[0].Identity = r.Hubs[0].Identity[:20] },
		"HubWitness":        func(r *territory.Roster) { r.Hubs[0].Witness = nil },
		"HubRecipient":      func(r *territory.Roster) { r.Hubs[0].Recipient = "AGE-SECRET-KEY" },
		"HubAssurance":      func(r *territory.Roster) { r.Hubs[0].Assurance = "none" },
		"HubState":          func(r *territory.Roster) { r.Hubs[0].State = "" },
		"HubAddress":        func(r *territory.Roster) { r.Hubs[0].Addresses = []string{"192.0.2.1"} },
		"HubPort0":          func(r *territory.Roster) { r.Hubs[0].Addresses = []string{"192.0.2.1:0"} },
		"HubHostName":       func(r *territory.Roster) { r.Hubs[0].HostNames = []string{"Valbrume Localhost"} },
		"HubHostNameTwice":  func(r *territory.Roster) { r.Hubs[1].HostNames = r.Hubs[0].HostNames },
		"KioskNameTaken":    func(r *territory.Roster) { r.Hubs[0].KioskName = r.Hubs[1].HostNames[0] },
		"CutHash":           func(r *territory.Roster) { r.Hubs[1].Cuts[0].Hash = make([]byte, 16) },
		"CutTwice":          func(r *territory.Roster) { r.Hubs[1].Cuts = append(r.Hubs[1].Cuts, r.Hubs[1].Cuts[0]) },
		"NationalIndex":     func(r *territory.Roster) { r.National.Index = 0 },
		"NationalURL":       func(r *territory.Roster) { r.National.URL = "http://localhost:1" },
		"NationalID":        func(r *territory.Roster) { r.National.ID[3]++ },
		"NationalWitness":   func(r *territory.Roster) { r.National.Witness = make([]byte, 31) },
		"StructureNoID":     func(r *territory.Roster) { r.Structures[0].ID = territory.StructureID{} },
		"StructureNoName":   func(r *territory.Roster) { r.Structures[0].Name = "" },
		"StructureTwice":    func(r *territory.Roster) { r.Structures = append(r.Structures, r.Structures[0]) },
		"StructureSIRET":    func(r *territory.Roster) { r.Structures[0].SIRET = "1234" },
		"StructureState":    func(r *territory.Roster) { r.Structures[0].State = "paused" },
		"StructureScope":    func(r *territory.Roster) { r.Structures[0].Scopes = []string{"argent", "argent"} },
		"StructureNoScope":  func(r *territory.Roster) { r.Structures[0].Scopes = []string{""} },
		"StructureServing":  func(r *territory.Roster) { r.Structures[0].Serving = []territory.HubID{{1}} },
		"StructureTwiceHub": func(r *territory.Roster) { s := &r.Structures[0]; s.Serving = append(s.Serving, s.Serving[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			r := sample(t)
			breakIt(r)
			if err := r.Validate(); err == nil {
				t.Error("valid")
			}
			root, _ := newRoot(t)
			if _, err := r.Sign(root); err == nil {
				t.Error("signed")
			}
		})
	}
}

// A key of another curve, or in another encoding, is no identity: one key has one
// identifier.
func TestIdentityIsP256(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := sample(t)
	r.Hubs[0].Identity, r.Hubs[0].ID = der, territory.HubIDOf(der)
	if err := r.Validate(); err == nil {
		t.Error("a P-384 key is taken")
	}
}

func TestAuthor(t *testing.T) {
	r := sample(t)
	for _, h := range r.Hubs {
		a, known := r.Author(h.ID)
		if !known || a.Index != h.Index || a.Name != h.Name || a.National || a.Key == nil || a.Expelled != (h.State == territory.HubExpelled) {
			t.Errorf("%s: %+v", h.Name, a)
		}
		if index, known := r.IndexOf(h.ID); !known || index != h.Index {
			t.Errorf("%s: index %d", h.Name, index)
		}
		if b, known := r.AuthorAt(h.Index); !known || b.ID != h.ID {
			t.Errorf("at index %d: %+v", h.Index, b)
		}
	}
	if a, known := r.Author(r.National.ID); !known || !a.National {
		t.Errorf("national: %+v", a)
	}
	if _, known := r.Author(territory.HubID{1}); known {
		t.Error("a stranger is an author")
	}
	if index, known := r.IndexOf(r.National.ID); !known || index != r.National.Index {
		t.Errorf("national index %d", index)
	}
	if _, known := r.IndexOf(territory.HubID{1}); known {
		t.Error("a stranger has an index")
	}
	if _, known := r.AuthorAt(77); known {
		t.Error("a stranger has an index")
	}
}

func TestAdmits(t *testing.T) {
	hash, other := [32]byte{1}, [32]byte{2}
	cut := []territory.Cut{{Incarnation: 1, Seq: 9, Hash: hash[:]}}
	for _, c := range []struct {
		name        string
		a           territory.Author
		incarnation uint16
		seq         uint32
		hash        [32]byte
		want        bool
	}{
		{"active, no cut", territory.Author{}, 1, 900, hash, true},
		{"below", territory.Author{Expelled: true, Cuts: cut}, 1, 8, other, true},
		{"at", territory.Author{Expelled: true, Cuts: cut}, 1, 9, hash, true},
		{"at, another history", territory.Author{Expelled: true, Cuts: cut}, 1, 9, other, false},
		{"above", territory.Author{Expelled: true, Cuts: cut}, 1, 10, hash, false},
		{"another log of an expelled hub", territory.Author{Expelled: true, Cuts: cut}, 2, 1, hash, false},
		{"another log of a restored hub", territory.Author{Cuts: cut}, 2, 1, hash, true},
		{"above, of a restored hub", territory.Author{Cuts: cut}, 1, 10, hash, false},
	} {
		if got := c.a.Admits(c.incarnation, c.seq, c.hash); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if seq, bounded := (territory.Author{Cuts: cut}).Last(1); seq != 9 || !bounded {
		t.Errorf("last %d %v", seq, bounded)
	}
	if _, bounded := (territory.Author{Cuts: cut}).Last(2); bounded {
		t.Error("a log without a cut is bounded")
	}
}

func TestStructure(t *testing.T) {
	r := sample(t)
	s, known := r.Structure(r.Structures[0].ID)
	if !known || !s.ServedBy(r.Hubs[0].ID) || s.ServedBy(r.Hubs[1].ID) || !s.Allows("argent") || s.Allows("papiers") {
		t.Errorf("%+v", s)
	}
	s.State = territory.StructureSuspended
	if s.Allows("argent") {
		t.Error("a suspended structure is allowed")
	}
	if _, known := r.Structure(territory.StructureID{}); known {
		t.Error("no structure is known")
	}
	if r.Location().String() != "Europe/Paris" {
		t.Errorf("zone %s", r.Location())
	}
}

func FuzzOpenRoster(f *testing.F) {
	root, public := newRoot(f)
	signed, err := sample(f).Sign(root)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := territory.OpenRoster(b, public); err == nil && !bytes.Contains(b, []byte(r.Name)) {
			t.Error("opened what was not signed")
		}
	})
}

// FuzzRosterText: whatever JSON is read is written back with the same meaning.
func FuzzRosterText(f *testing.F) {
	text, err := json.Marshal(sample(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"x":1,"hubs":[{"y":[]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, again territory.Roster
		if json.Unmarshal(b, &r) != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			return // a time that JSON reads and cannot write
		}
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s is written as %s: %v", b, text, err)
		}
	})
}
