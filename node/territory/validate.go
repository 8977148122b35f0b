package territory

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a hub has no time zone files of its own to rely on

	"golang.org/x/mod/sumdb/note"
)

var (
	hostName  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
	siretForm = regexp.MustCompile(`^[0-9]{14}$`)
)

// Validate says the first inner rule that r breaks: identifiers and indexes are
// unique and follow from the keys, everything named exists, times are UTC.
func (r *Roster) Validate() error {
	if err := r.validateHead(); err != nil {
		return err
	}
	seen := &uniques{}
	for i := range r.Hubs {
		if err := r.Hubs[i].validate(seen); err != nil {
			return fmt.Errorf("hub %q: %w", r.Hubs[i].Name, err)
		}
	}
	if err := r.validateZones(); err != nil {
		return err
	}
	if r.National != nil {
		if err := r.National.validate(seen); err != nil {
			return fmt.Errorf("national service: %w", err)
		}
	}
	hubs := make(map[HubID]bool, len(r.Hubs))
	for i := range r.Hubs {
		hubs[r.Hubs[i].ID] = true
	}
	for i := range r.Structures {
		if err := r.Structures[i].validate(hubs, seen); err != nil {
			return fmt.Errorf("structure %q: %w", r.Structures[i].Name, err)
		}
	}
	return nil
}

func (r *Roster) validateHead() error {
	if err := r.Territory.Validate(); err != nil {
		return err
	}
	if _, err := time.LoadLocation(r.Zone); err != nil || r.Zone == "" || r.Zone == "Local" {
		return fmt.Errorf("zone %.40q is not an IANA time zone", r.Zone)
	}
	switch {
	case r.Name == "":
		return errors.New("no name")
	case r.Version == 0:
		return errors.New("version 0; the first is 1")
	case r.IssuedAt.Location() != time.UTC || r.ExpiresAt.Location() != time.UTC:
		return errors.New("times are not UTC")
	case !r.ExpiresAt.After(r.IssuedAt):
		return errors.New("expires before it is issued")
	case len(r.NextRoot) != 0 && len(r.NextRoot) != 32:
		return fmt.Errorf("next root of %d octets, not 32", len(r.NextRoot))
	}
	return r.validateRoot()
}

// validateRoot checks what the roster says of those who sign. A roster of before
// these members has neither.
func (r *Roster) validateRoot() error {
	if r.Root != "" {
		if root, err := note.NewVerifier(r.Root); err != nil || root.Name() != RootName(r.Territory) {
			return errors.New("the root it names is not one of this territory")
		}
	}
	if len(r.Authority) > 0 {
		if c, err := x509.ParseCertificate(r.Authority); err != nil || !c.IsCA {
			return errors.New("its authority is not a certificate of one")
		}
	}
	return nil
}

func (h *Hub) validate(seen *uniques) error {
	if h.Name == "" {
		return errors.New("no name")
	}
	if err := validateIdentity(h.ID, h.Identity); err != nil {
		return err
	}
	if err := seen.add("index", strconv.Itoa(int(h.Index))); err != nil {
		return err
	}
	if err := seen.add("id", h.ID.String()); err != nil {
		return err
	}
	switch {
	case len(h.Witness) != 32:
		return fmt.Errorf("witness key of %d octets, not 32", len(h.Witness))
	case !strings.HasPrefix(h.Recipient, "age1"):
		return fmt.Errorf("recipient %.12q is not an age recipient", h.Recipient)
	case h.Assurance != AssuranceTPM && h.Assurance != AssuranceSoftware:
		return fmt.Errorf("assurance %.20q is neither tpm nor software", h.Assurance)
	case h.State != HubActive && h.State != HubExpelled:
		return fmt.Errorf("state %.20q is neither active nor expelled", h.State)
	case h.State == HubActive && !h.ExpelledAt.IsZero():
		return errors.New("expelled at a moment, and active")
	}
	if err := h.validateNames(seen); err != nil {
		return err
	}
	return validateCuts(h.Cuts)
}

func (h *Hub) validateNames(seen *uniques) error {
	names := h.HostNames
	if h.KioskName != "" {
		names = append(names[:len(names):len(names)], h.KioskName)
	}
	for _, name := range names {
		if len(name) > 253 || !hostName.MatchString(name) {
			return fmt.Errorf("host name %.60q is not a lower-case host name", name)
		}
		if err := seen.add("host name", name); err != nil {
			return err
		}
	}
	for _, address := range h.Addresses {
		if err := validateAddress(address); err != nil {
			return err
		}
	}
	return nil
}

// validateZones refuses a host name below another hub's: whoever may certify a
// name may certify what is below it.
func (r *Roster) validateZones() error {
	owner := map[string]int{}
	for i := range r.Hubs {
		for _, name := range r.Hubs[i].AllNames() {
			owner[name] = i
		}
	}
	for name, i := range owner {
		for above := name; above != ""; {
			_, above, _ = strings.Cut(above, ".")
			if j, taken := owner[above]; taken && j != i {
				return fmt.Errorf("hub %q: host name %.60q is below %.60q, of hub %q", r.Hubs[i].Name, name, above, r.Hubs[j].Name)
			}
		}
	}
	return nil
}

func validateAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
		return fmt.Errorf("address %.60q is not host:port", address)
	}
	return nil
}

func (n *National) validate(seen *uniques) error {
	if err := validateIdentity(n.ID, n.Identity); err != nil {
		return err
	}
	if err := seen.add("index", strconv.Itoa(int(n.Index))); err != nil {
		return err
	}
	if err := seen.add("id", n.ID.String()); err != nil {
		return err
	}
	if u, err := url.Parse(n.URL); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("url %.80q is not https://host:port", n.URL)
	}
	if len(n.Witness) != 0 && len(n.Witness) != 32 {
		return fmt.Errorf("witness key of %d octets, not 32", len(n.Witness))
	}
	return validateCuts(n.Cuts)
}

func (s *Structure) validate(hubs map[HubID]bool, seen *uniques) error {
	if err := seen.add("id", s.ID.String()); err != nil {
		return err
	}
	switch {
	case s.ID.IsZero():
		return errors.New("no id")
	case s.Name == "":
		return errors.New("no name")
	case s.SIRET != "" && !siretForm.MatchString(s.SIRET):
		return fmt.Errorf("SIRET %.20q is not 14 digits", s.SIRET)
	case s.State != StructureOpen && s.State != StructureSuspended && s.State != StructureClosed:
		return fmt.Errorf("state %.20q is not open, suspended or closed", s.State)
	}
	here := &uniques{}
	for _, scope := range s.Scopes {
		if scope == "" {
			return errors.New("empty scope")
		}
		if err := here.add("scope", scope); err != nil {
			return err
		}
	}
	for _, hub := range s.Serving {
		if !hubs[hub] {
			return fmt.Errorf("served by %s, which is not in the roster", hub)
		}
		if err := here.add("serving hub", hub.String()); err != nil {
			return err
		}
	}
	return nil
}

func validateIdentity(id HubID, spki []byte) error {
	if _, err := ParseIdentity(spki); err != nil {
		return err
	}
	if want := HubIDOf(spki); id != want {
		return fmt.Errorf("id %s does not follow from the identity key, which makes %s", id, want)
	}
	return nil
}

// ParseIdentity reads a P-256 key, DER SubjectPublicKeyInfo (RFC 5480). Only the
// encoding that Go writes is taken, so that one key has one identifier: that of a
// named curve, the point whole.
func ParseIdentity(spki []byte) (*ecdsa.PublicKey, error) {
	if point, found := bytes.CutPrefix(spki, identityPrefix); found {
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, fmt.Errorf("identity key: %w", err)
		}
		return key, nil
	}
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	if key, ok := parsed.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("identity key is not P-256")
	}
	return nil, errors.New("identity key is oddly encoded")
}

// identityPrefix is what every identity begins with, before its point of 65
// octets: SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING (RFC 5480).
var identityPrefix = []byte("\x30\x59\x30\x13" +
	"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01" +
	"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" +
	"\x03\x42\x00")

func validateCuts(cuts []Cut) error {
	seen := &uniques{}
	for _, c := range cuts {
		if len(c.Hash) != 32 && (c.Seq != 0 || len(c.Hash) != 0) {
			return fmt.Errorf("cut hash of %d octets, not 32", len(c.Hash))
		}
		if err := seen.add("cut of incarnation", strconv.Itoa(int(c.Incarnation))); err != nil {
			return err
		}
	}
	return nil
}

// uniques remembers values by what they are.
type uniques struct{ seen map[string]bool }

func (u *uniques) add(what, value string) error {
	key := what + " " + value
	if u.seen[key] {
		return fmt.Errorf("%s appears twice", key)
	}
	if u.seen == nil {
		u.seen = map[string]bool{}
	}
	u.seen[key] = true
	return nil
}
