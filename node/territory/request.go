package territory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"relais/node/id"
	"relais/node/label"
)

// requestFormat names the layout of hub.json.
const requestFormat = "relais/v1/enrolment"

const (
	maxRequestOctets = 16 << 10 // of a request
	maxShownOctets   = 255      // of a name or address in it
)

// A Request is what a new hub hands to those who keep the roster: public keys,
// name, addresses. Nothing in it is secret; what matters is that it is the
// machine's own, so its fingerprint is read aloud before it is added.
type Request struct {
	Format    string `json:"format"`
	Territory Code   `json:"territory"`
	Hub       Hub    `json:"hub"`
	// Authority is the key of the hub's own certificate authority: DER
	// SubjectPublicKeyInfo, P-256. The territory certifies it at approval. Empty:
	// the hub wants no certificate.
	Authority []byte `json:"authority,omitempty"`
	// Replaces is who the hub was before it was recovered; nil for a new one.
	Replaces *Replaced `json:"replaces,omitempty"`
}

// Replaced is an identity that was lost, and where its logs end.
type Replaced struct {
	Hub  HubID `json:"hub"`
	Cuts []Cut `json:"cuts"`
}

// NewRequest is the request of a hub.
func NewRequest(code Code, h Hub, authority []byte, instead *Replaced) Request {
	return Request{requestFormat, code, h, authority, instead}
}

// ErrOtherTerritory means that something was made for another territory.
var ErrOtherTerritory = errors.New("made for another territory")

// ParseRequest reads a request and checks that it is one, for this territory,
// and that its identifier is that of its key. Errors: ErrOtherTerritory, or what
// is wrong with it.
func ParseRequest(text []byte, code Code) (Request, error) {
	var r Request
	if len(text) > maxRequestOctets {
		return r, fmt.Errorf("a hub's request of %d octets; the limit is %d", len(text), maxRequestOctets)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("read a hub's request: %w", err)
	}
	if r.Format != requestFormat {
		return r, fmt.Errorf("not the request of a hub (format %.40q)", r.Format)
	}
	if r.Territory != code {
		return r, fmt.Errorf("%w: %.20q, not %q", ErrOtherTerritory, string(r.Territory), code)
	}
	return r, r.validate()
}

// validate says what a roster would refuse of it.
func (r *Request) validate() error {
	if err := r.validateText(); err != nil {
		return err
	}
	h := r.Hub
	h.State, h.Cuts, h.ExpelledAt = HubActive, nil, time.Time{}
	if err := h.validate(&uniques{}); err != nil {
		return fmt.Errorf("hub %.80q: %w", h.Name, err)
	}
	if len(r.Authority) > 0 {
		if _, err := ParseIdentity(r.Authority); err != nil {
			return fmt.Errorf("authority of %.80q: %w", h.Name, err)
		}
	}
	if r.Replaces != nil {
		if r.Replaces.Hub == h.ID {
			return fmt.Errorf("hub %.80q replaces itself", h.Name)
		}
		return validateCuts(r.Replaces.Cuts)
	}
	return nil
}

// validateText says what nobody could read of a request: it is shown, on a
// terminal too, before it is approved.
func (r *Request) validateText() error {
	shown := append(slices.Concat(r.Hub.Addresses, r.Hub.HostNames), r.Hub.Name, r.Hub.Recipient)
	for _, s := range shown {
		if len(s) > maxShownOctets || !utf8.ValidString(s) || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return fmt.Errorf("%.80q does not print, or is too long", s)
		}
	}
	return nil
}

// fingerprintOctets are enough that nobody makes another request with the same
// fingerprint, and few enough to be read aloud.
const fingerprintOctets = 10

// Fingerprint is what is read aloud before a hub is approved: 80 bits of
// SHA-256(label ‖ request), in four groups of four symbols. It covers keys,
// names and addresses alike.
func (r Request) Fingerprint() string {
	text, err := json.Marshal(r)
	if err != nil {
		return "" // its extra members do not encode: approved by nobody
	}
	sum := label.Enrolment.Sum(text)
	s := id.Encode(sum[:fingerprintOctets])
	return strings.Join([]string{s[:4], s[4:8], s[8:12], s[12:]}, " ")
}

// Fits tells whether a fingerprint, as a person typed it, is this request's:
// either case, O for 0, I and L for 1, spaces and hyphens anywhere.
func (r Request) Fits(typed string) bool {
	ours, err := id.Decode(r.Fingerprint())
	if err != nil || len(ours) != fingerprintOctets || len(typed) > 64 {
		return false
	}
	theirs, err := id.Decode(typed)
	return err == nil && bytes.Equal(ours, theirs)
}
