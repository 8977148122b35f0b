package territory_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node/territory"
)

var rootNow = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func freshRoot(t testing.TB) territory.Root {
	t.Helper()
	root, err := territory.NewRoot("demo", "Territoire de démonstration", rootNow)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func rootText(t testing.TB, r territory.Root) []byte {
	t.Helper()
	text, err := r.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func turn(t testing.TB, r territory.Root) territory.Root {
	t.Helper()
	r, err := r.Turn()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// issue signs the next version, by r, of a copy of the roster.
func issue(t testing.TB, r territory.Root, of *territory.Roster) (*territory.Roster, []byte) {
	t.Helper()
	next, err := of.Clone()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := r.Issue(next, rootNow, territory.RosterDays)
	if err != nil {
		t.Fatal(err)
	}
	return next, signed
}

// first is a roster before any signature.
func first(t testing.TB) *territory.Roster {
	r := sample(t)
	r.NextRoot = nil
	return r
}

func TestRootText(t *testing.T) {
	root := freshRoot(t)
	text := rootText(t, root)
	back, err := territory.ParseRoot(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(rootText(t, back), text) || back.Public() != root.Public() || back.Next() != root.Next() {
		t.Error("a root does not come back from its text")
	}
	apart, err := territory.ParseRoot(rootText(t, root.Without()))
	if err != nil || apart.Next() != "" || apart.NextHash() != nil {
		t.Errorf("without its following key: next %v, %v", apart.Next() != "", err)
	}
	if _, err := apart.Turn(); err == nil {
		t.Error("a root was turned without the key that follows")
	}
	if joined, err := apart.With(root.Next()); err != nil || !bytes.Equal(rootText(t, joined), text) {
		t.Errorf("joined again: %v", err)
	}
	if root.Next() == "" {
		t.Error("Without changed the root it was asked of")
	}
}

func TestErrRootText(t *testing.T) {
	root, other := freshRoot(t), freshRoot(t)
	edit := func(name string, value any) []byte {
		var m map[string]any
		if err := json.Unmarshal(rootText(t, root), &m); err != nil {
			t.Fatal(err)
		}
		m[name] = value
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var theirs map[string]string
	if err := json.Unmarshal(rootText(t, other), &theirs); err != nil {
		t.Fatal(err)
	}
	foreign, _, err := note.GenerateKey(rand.Reader, "relais-974")
	if err != nil {
		t.Fatal(err)
	}
	var ours map[string]string
	if err := json.Unmarshal(rootText(t, root), &ours); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"Empty": nil, "NotJSON": []byte("root"), "TooLong": bytes.Repeat([]byte(" "), 17<<10),
		"Format": edit("format", "relais/v2/root"), "Root": edit("root", "PRIVATE+KEY+x"), "RootPublic": edit("root", root.Public()),
		"Authority": edit("authority", "%"), "AuthorityOfAnother": edit("authority", theirs["authority"]),
		"Certificate": edit("certificate", "AAAA"), "CertificateOfAnother": edit("certificate", theirs["certificate"]),
		"Next": edit("next", "x"), "NextOfAnotherTerritory": edit("next", foreign), "NextIsTheSame": edit("next", ours["root"]),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := territory.ParseRoot(text)
			if err == nil {
				t.Fatal("read")
			}
			for _, secret := range []string{ours["root"], ours["next"], ours["authority"], theirs["authority"], foreign} {
				if strings.Contains(err.Error(), secret) {
					t.Error("the error repeats a secret")
				}
			}
		})
	}
	if _, err := territory.NewRoot("Démo", "x", rootNow); err == nil {
		t.Error("a root of no territory was made")
	}
}

// TestSecretsAreNotShown plants a root and an invitation wherever a log or an
// error could show them, and looks for every secret in them.
func TestSecretsAreNotShown(t *testing.T) {
	root := freshRoot(t)
	invitation := sampleInvitation()
	code, err := invitation.Code()
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]string
	if err := json.Unmarshal(rootText(t, root), &parts); err != nil {
		t.Fatal(err)
	}
	tail := func(key string) string { return strings.SplitN(key, "+", 5)[4] }
	planted := []string{
		tail(parts["root"]), tail(parts["next"]), parts["authority"], code,
		fmt.Sprintf("%x", invitation.Secret[:]), fmt.Sprint(invitation.Secret[:]), string(invitation.Secret[:]),
	}
	hidden := struct {
		Root   territory.Root
		root   territory.Root
		Invite territory.Invitation
		Secret territory.InviteSecret
	}{root, root, invitation, invitation.Secret}
	var out bytes.Buffer
	for _, v := range []any{root, &root, invitation, &invitation, invitation.Secret, hidden, &hidden, []any{root, invitation}, root.Authority()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "root", root, "invitation", invitation, "secret", invitation.Secret, "authority", root.Authority())
	}
	for i, secret := range planted {
		if strings.Contains(out.String(), secret) {
			t.Errorf("secret %d is shown", i)
		}
	}
	if shown := fmt.Sprintf("%x", [16]byte(invitation.Secret)); !strings.Contains(shown, planted[4]) {
		t.Error("the search finds nothing where something is") // the twin
	}
}

func TestIssue(t *testing.T) {
	root := freshRoot(t)
	r, signed := issue(t, root, first(t))
	got, err := territory.OpenRoster(signed, root.Public())
	if err != nil {
		t.Fatal(err)
	}
	next := turn(t, root)
	switch {
	case got.Version != 4 || !got.IssuedAt.Equal(rootNow) || !got.ExpiresAt.Equal(rootNow.AddDate(0, 0, territory.RosterDays)):
		t.Errorf("version %d from %v to %v", got.Version, got.IssuedAt, got.ExpiresAt)
	case got.Root != root.Public(), !bytes.Equal(got.NextRoot, territory.NextRootHash(next.Public())), !bytes.Equal(got.NextRoot, root.NextHash()):
		t.Error("the roster does not name its root and the next")
	case !bytes.Equal(got.Authority, root.Authority().Certificate()):
		t.Error("the roster does not carry the authority")
	case !bytes.Equal(next.Authority().Certificate(), root.Authority().Certificate()):
		t.Error("the authority changed with the root")
	}
	t.Run("kept apart, the following key stays announced", func(t *testing.T) {
		again, _ := issue(t, root.Without(), r)
		if !bytes.Equal(again.NextRoot, r.NextRoot) {
			t.Error("forgotten")
		}
	})
	t.Run("ErrNobodyFollows", func(t *testing.T) {
		copied, err := r.Clone()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := next.Without().Issue(copied, rootNow, 1); err == nil {
			t.Error("a root announced itself as the next")
		}
		if copied.Version != r.Version {
			t.Error("a refusal changed the roster")
		}
	})
	t.Run("ErrInvalid", func(t *testing.T) {
		copied, err := r.Clone()
		if err != nil {
			t.Fatal(err)
		}
		copied.Name = ""
		if _, err := root.Issue(copied, rootNow, 1); err == nil || copied.Version != r.Version {
			t.Errorf("version %d, %v", copied.Version, err)
		}
	})
}

func TestOpenNext(t *testing.T) {
	old := freshRoot(t)
	middle := turn(t, old)
	last := turn(t, middle)
	one, byOld := issue(t, old, first(t))
	two, byMiddle := issue(t, middle, one)
	_, byLast := issue(t, last, two)
	_, byStranger := issue(t, freshRoot(t), one)
	liar := *one
	liar.Root, liar.Version = middle.Public(), 9
	signer, err := note.NewSigner(secretOf(t, old))
	if err != nil {
		t.Fatal(err)
	}
	lie, err := liar.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		signed    []byte
		root      string
		announced []byte
		want      string // the root that signed; "": ErrForged
	}{
		{"the pinned root", byOld, old.Public(), one.NextRoot, old.Public()},
		{"the announced root", byMiddle, old.Public(), one.NextRoot, middle.Public()},
		{"nothing announced", byMiddle, old.Public(), nil, ""},
		{"neither", byStranger, old.Public(), one.NextRoot, ""},
		{"two rotations by one hash", byLast, old.Public(), one.NextRoot, ""},
		{"the second of two", byLast, middle.Public(), two.NextRoot, last.Public()},
		{"the old root afterwards", byOld, middle.Public(), two.NextRoot, ""},
		{"another root named than the one that signed", lie, old.Public(), one.NextRoot, ""},
		{"announced, but not the signer", bytes.Replace(byStranger, []byte("Valbrume"), []byte("Valbrune"), 1), old.Public(), one.NextRoot, ""},
		{"nothing", nil, old.Public(), one.NextRoot, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, root, err := territory.OpenNext(c.signed, c.root, c.announced)
			if c.want == "" {
				if !errors.Is(err, territory.ErrForged) || root != c.root || r != nil {
					t.Errorf("%v, pinned anew: %v", err, root != c.root)
				}
				return
			}
			if err != nil || root != c.want {
				t.Errorf("%v, by the wrong root: %v", err, root != c.want)
			}
		})
	}
}

func secretOf(t testing.TB, r territory.Root) string {
	t.Helper()
	var parts map[string]string
	if err := json.Unmarshal(rootText(t, r), &parts); err != nil {
		t.Fatal(err)
	}
	return parts["root"]
}

// Certificates of authorities are for names alone, and no two are alike: browsers
// refuse two of one issuer and number.
func TestCertificatesOfAuthorities(t *testing.T) {
	root := freshRoot(t)
	r, _ := issue(t, root, first(t))
	ders := [][]byte{root.Authority().Certificate()}
	for range 2 {
		der, err := root.Authority().Certify(r.Hubs[0], identity(t), rootNow)
		if err != nil {
			t.Fatal(err)
		}
		ders = append(ders, der)
	}
	seen := map[string]bool{}
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if n := c.SerialNumber; n.Sign() <= 0 || n.BitLen() <= 64 || seen[n.String()] { // CA/Browser Forum: at least 64 bits
			t.Errorf("serial number %v", n)
		}
		seen[c.SerialNumber.String()] = true
		for _, address := range []string{"192.0.2.1", "2001:db8::1"} {
			if !slices.ContainsFunc(c.ExcludedIPRanges, func(n *net.IPNet) bool { return n.Contains(net.ParseIP(address)) }) {
				t.Errorf("%s: it may certify the address %s", c.Subject.CommonName, address)
			}
		}
	}
}

func TestAuthority(t *testing.T) {
	root := freshRoot(t)
	r, _ := issue(t, root, first(t))
	h := r.Hubs[0] // valbrume.localhost and borne.localhost
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	der, err := root.Authority().Certify(h, spki, rootNow)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	// verify makes a leaf of the hub's authority and asks a client about it.
	verify := func(change func(*x509.Certificate), at time.Time, via ...*x509.Certificate) error {
		leafKey, signer, parent := key, key, authority
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "leaf"}, DNSNames: []string{"valbrume.localhost", "borne.localhost"},
			NotBefore: rootNow, NotAfter: rootNow.AddDate(30, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		change(template)
		pool, between := x509.NewCertPool(), x509.NewCertPool()
		root, err := x509.ParseCertificate(root.Authority().Certificate())
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(root)
		between.AddCert(authority)
		for _, below := range via {
			between.AddCert(below)
			parent = below
		}
		made, err := x509.CreateCertificate(rand.Reader, template, parent, &leafKey.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(made)
		if err != nil {
			t.Fatal(err)
		}
		_, err = leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		return err
	}
	if err := verify(func(*x509.Certificate) {}, rootNow.Add(time.Hour)); err != nil {
		t.Errorf("its own names: %v", err)
	}
	below := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "below"}, NotBefore: rootNow, NotAfter: rootNow.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	made, err := x509.CreateCertificate(rand.Reader, below, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if below, err = x509.ParseCertificate(made); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"ErrAnotherSite":   verify(func(c *x509.Certificate) { c.DNSNames = []string{"port-exemple.localhost"} }, rootNow),
		"ErrAmongOthers":   verify(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "impots.example") }, rootNow),
		"ErrSuffix":        verify(func(c *x509.Certificate) { c.DNSNames = []string{"notvalbrume.localhost"} }, rootNow),
		"ErrIP":            verify(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }, rootNow),
		"ErrIPv6":          verify(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("2001:db8::1")} }, rootNow),
		"ErrAuthorityThen": verify(func(*x509.Certificate) {}, rootNow, below),
		"ErrEnded":         verify(func(*x509.Certificate) {}, rootNow.AddDate(11, 0, 0)),
		"ErrBefore":        verify(func(*x509.Certificate) {}, rootNow.AddDate(-1, 0, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			if err == nil {
				t.Error("accepted")
			}
		})
	}
	t.Run("never after the territory's own end", func(t *testing.T) {
		der, err := root.Authority().Certify(h, spki, rootNow.AddDate(15, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil || c.NotAfter.After(rootNow.AddDate(20, 0, 1)) {
			t.Errorf("until %v, %v", c.NotAfter, err)
		}
	})
	t.Run("ErrNoName", func(t *testing.T) {
		if _, err := root.Authority().Certify(territory.Hub{ID: h.ID}, spki, rootNow); err == nil {
			t.Error("certified for nothing: for everything")
		}
	})
	t.Run("ErrKey", func(t *testing.T) {
		if _, err := root.Authority().Certify(h, spki[:20], rootNow); err == nil {
			t.Error("certified a broken key")
		}
	})
	t.Run("check", func(t *testing.T) {
		elsewhere, _ := issue(t, freshRoot(t), first(t))
		renamed := h
		renamed.HostNames = []string{"autre.localhost"}
		for name, err := range map[string]error{
			"ErrAnotherKey":       r.CheckCertificate(h, identity(t), der),
			"ErrAnotherName":      r.CheckCertificate(renamed, spki, der),
			"ErrAnotherTerritory": elsewhere.CheckCertificate(h, spki, der),
			"ErrNoAuthority":      first(t).CheckCertificate(h, spki, der),
			"ErrNotOne":           r.CheckCertificate(h, spki, spki),
			"ErrTheTerritorysOwn": r.CheckCertificate(h, spki, root.Authority().Certificate()),
		} {
			if !errors.Is(err, territory.ErrOtherCertificate) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := r.CheckCertificate(h, spki, der); err != nil {
			t.Error(err)
		}
	})
}

// TestZones: whoever may certify a name may certify what is below it, so a roster
// gives nobody a name below another's.
func TestZones(t *testing.T) {
	r := sample(t)
	r.Hubs[1].HostNames = []string{"kiosque.valbrume.localhost"}
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "below") {
		t.Errorf("a name below another hub's: %v", err)
	}
	r = sample(t)
	r.Hubs[0].KioskName = "borne.valbrume.localhost"
	if err := r.Validate(); err != nil {
		t.Errorf("a name below its own: %v", err)
	}
}

func FuzzRoot(f *testing.F) {
	f.Add(rootText(f, freshRoot(f)))
	f.Add(rootText(f, freshRoot(f).Without()))
	f.Add([]byte(`{"format":"relais/v1/root"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		root, err := territory.ParseRoot(b)
		if err != nil {
			return
		}
		text := rootText(t, root)
		again, err := territory.ParseRoot(text)
		if err != nil || !bytes.Equal(rootText(t, again), text) {
			t.Errorf("a root is not written as it was read: %v", err)
		}
	})
}
