package territory

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"relais/node/label"
)

// Root is what a territory is signed with: the Ed25519 key of its rosters, the
// one that will follow it, and the authority by which browsers trust its hubs.
//
// Two keys, because no browser accepts an Ed25519 certificate. They live and
// travel together, as one text. The following key may be elsewhere: kept apart,
// it takes the territory back from whoever stole this one.
type Root struct {
	signer    note.Signer
	secret    func() secrets
	public    string // "name+hash+key"
	authority *Authority
}

// secrets are behind a function, because fmt prints what it finds inside a struct
// without asking how, through pointers too; of a function it knows the address.
type secrets struct {
	key  string // "PRIVATE+KEY+name+hash+key"
	next string // of the root that follows; "" when kept elsewhere
}

func hide(s secrets) func() secrets { return func() secrets { return s } }

// rootText is the layout of Text.
type rootText struct {
	Format    string `json:"format"`
	Root      string `json:"root"`
	Next      string `json:"next,omitempty"`
	Authority string `json:"authority"` // base64 of PKCS #8
	// Certificate is the authority's, self-signed: base64 of DER.
	Certificate string `json:"certificate"`
}

const (
	rootFormat = "relais/v1/root"

	// maxRootOctets bounds the text of a root.
	maxRootOctets = 16 << 10
)

// RootName is the name in the keys of a territory's root.
func RootName(code Code) string { return "relais-" + string(code) }

// NewRoot makes the root of a territory, and the one that will follow it. Browsers
// trust its authority for names under the domains alone; without any, for all.
func NewRoot(code Code, name string, now time.Time, domains ...string) (Root, error) {
	if err := code.Validate(); err != nil {
		return Root{}, err
	}
	secret, _, err := note.GenerateKey(rand.Reader, RootName(code))
	if err != nil {
		return Root{}, fmt.Errorf("make a root: %w", err)
	}
	authority, err := newAuthority(name, domains, now)
	if err != nil {
		return Root{}, fmt.Errorf("make a root: %w", err)
	}
	r, err := openRoot(secret, authority)
	if err != nil {
		return Root{}, err
	}
	return r.withNext()
}

func openRoot(secret string, authority *Authority) (Root, error) {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return Root{}, fmt.Errorf("root: %w", err)
	}
	public, err := publicHalf(secret)
	return Root{signer: signer, secret: hide(secrets{key: secret}), public: public, authority: authority}, err
}

func (r Root) withNext() (Root, error) {
	next, _, err := note.GenerateKey(rand.Reader, r.signer.Name())
	return r.following(next), err
}

// ParseRoot reads what Text wrote. It never repeats what it read.
func ParseRoot(text []byte) (Root, error) {
	var t rootText
	if len(text) > maxRootOctets || json.Unmarshal(text, &t) != nil || t.Format != rootFormat {
		return Root{}, errors.New("not the text of a territory's root")
	}
	authority, err := parseAuthority(t.Authority, t.Certificate)
	if err != nil {
		return Root{}, fmt.Errorf("root: %w", err)
	}
	r, err := openRoot(t.Root, authority)
	if err != nil {
		return Root{}, err
	}
	if t.Next == "" {
		return r, nil
	}
	return r.With(t.Next)
}

// Text is the root as it is kept: all of its secrets. It goes nowhere but into
// an encrypted file or under a hub's key.
func (r Root) Text() ([]byte, error) {
	key, err := r.authority.secret()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(rootText{
		rootFormat, r.secret().key, r.secret().next,
		base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(r.authority.Certificate()),
	}, "", "  ")
}

// Public is the half that every hub is told when it is made: a note verifier key.
func (r Root) Public() string { return r.public }

// Next is the secret half of the key that follows; "" when it is not here.
func (r Root) Next() string { return r.secret().next }

// NextHash is what a roster says of the key that follows; nil when it is not here.
func (r Root) NextHash() []byte {
	public, err := publicHalf(r.secret().next)
	if err != nil {
		return nil
	}
	return NextRootHash(public)
}

func (r Root) following(next string) Root {
	r.secret = hide(secrets{r.secret().key, next})
	return r
}

// Without returns the root without the key that follows, to be kept elsewhere.
func (r Root) Without() Root { return r.following("") }

// With returns the root with the key that follows, which must be of the same
// territory and another than the one that signs.
func (r Root) With(next string) (Root, error) {
	signer, err := note.NewSigner(next)
	if err != nil || signer.Name() != r.signer.Name() || next == r.secret().key {
		return Root{}, errors.New("the key that follows is not one of this territory")
	}
	return r.following(next), nil
}

// Turn returns the root after a rotation: the key that followed signs from now
// on, and a fresh one will follow it. The authority stays: what browsers trust
// does not change with who signs rosters.
func (r Root) Turn() (Root, error) {
	if r.secret().next == "" {
		return Root{}, errors.New("the key that follows is not here: a root is rotated with both")
	}
	turned, err := openRoot(r.secret().next, r.authority)
	if err != nil {
		return Root{}, err
	}
	return turned.withNext()
}

// Authority is what signs the certificates of hubs.
func (r Root) Authority() *Authority { return r.authority }

// Issue signs r as the next version: it holds from now for so many days. It
// fails with what Validate says, and changes nothing then.
func (r Root) Issue(roster *Roster, now time.Time, days int) ([]byte, error) {
	next := *roster
	next.Version++
	next.IssuedAt = now.UTC().Truncate(time.Second)
	next.ExpiresAt = next.IssuedAt.AddDate(0, 0, days)
	next.Hubs = datingExpulsions(roster.Hubs, next.IssuedAt)
	next.Root, next.Authority = r.public, r.authority.Certificate()
	if following := r.NextHash(); following != nil {
		next.NextRoot = following
	}
	if bytes.Equal(next.NextRoot, NextRootHash(r.public)) {
		return nil, errors.New("the first roster of a root announces the one that follows: its key is needed")
	}
	signed, err := next.Sign(r.signer)
	if err == nil {
		*roster = next
	}
	return signed, err
}

// datingExpulsions copies the hubs, and writes beside those expelled without a date
// when they were: now, or before a version that dates them, which errs towards stops
// that stand.
func datingExpulsions(hubs []Hub, at time.Time) []Hub {
	dated := slices.Clone(hubs)
	for i := range dated {
		if dated[i].State == HubExpelled && dated[i].ExpelledAt.IsZero() {
			dated[i].ExpelledAt = at
		}
	}
	return dated
}

// Format and LogValue keep a root out of logs and errors, whatever the verb.
func (Root) Format(s fmt.State, _ rune) { io.WriteString(s, rootShown) }

// LogValue implements slog.LogValuer.
func (Root) LogValue() slog.Value { return slog.StringValue(rootShown) }

const rootShown = "a territory's root"

// NextRootHash is what a roster says of the root that will follow:
// SHA-256(label ‖ verifier key).
func NextRootHash(public string) []byte {
	sum := label.NextRoot.Sum([]byte(public))
	return sum[:]
}

// RootFingerprint is how an invitation names a root: SHA-256(label ‖ verifier
// key)[:16].
func RootFingerprint(public string) (f [16]byte) {
	sum := label.RootFingerprint.Sum([]byte(public))
	copy(f[:], sum[:])
	return f
}

// publicHalf computes the verifier key of a signer key
// ("PRIVATE+KEY+name+hash+base64(1 ‖ seed)"; golang.org/x/mod/sumdb/note).
func publicHalf(secret string) (string, error) {
	wrong := errors.New("not the secret key of a root")
	parts := strings.SplitN(secret, "+", 5)
	if len(parts) != 5 {
		return "", wrong
	}
	key, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(key) != 1+ed25519.SeedSize {
		return "", wrong
	}
	return note.NewEd25519VerifierKey(parts[2], ed25519.NewKeyFromSeed(key[1:]).Public().(ed25519.PublicKey))
}
