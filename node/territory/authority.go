package territory

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// How long certificates live.
const (
	authorityLife = 20 * 365 * 24 * time.Hour
	hubLife       = 10 * 365 * 24 * time.Hour
	// backdated lets clients whose clock is a little behind accept a new one.
	backdated = time.Hour
)

// Authority signs, once per hub, the certificate of the hub's own authority: one
// root for IT to deploy in the whole département (RFC 5280). It is P-256; its
// path length of 1 allows a hub's authority below it and nothing below that.
type Authority struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(name string, domains []string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Relais, " + name},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1,
		KeyUsage:         x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:      []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		ExcludedIPRanges: EveryAddress(), PermittedDNSDomainsCritical: true, PermittedDNSDomains: domains,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Authority{key, certificate}, err
}

func parseAuthority(key, certificate string) (*Authority, error) {
	wrong := errors.New("its authority is not a key and its certificate")
	keyDER, keyErr := base64.StdEncoding.DecodeString(key)
	der, certErr := base64.StdEncoding.DecodeString(certificate)
	if keyErr != nil || certErr != nil {
		return nil, wrong
	}
	parsed, keyErr := x509.ParsePKCS8PrivateKey(keyDER)
	cert, certErr := x509.ParseCertificate(der)
	if keyErr != nil || certErr != nil {
		return nil, wrong
	}
	signer, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, wrong
	}
	return &Authority{signer, cert}, nil
}

func (a *Authority) secret() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(a.key) }

// Certificate is the self-signed certificate that IT deploys: DER.
func (a *Authority) Certificate() []byte { return a.certificate.Raw }

// Certify signs the certificate of a hub's authority, critically constrained to
// the names that the roster gives the hub, so that its key makes no certificate
// for any other site. What is below a name is allowed with it (RFC 5280 §4.2.1.10);
// a roster gives nothing there to another hub. key is the hub's, DER SubjectPublicKeyInfo,
// P-256. The answer is DER.
func (a *Authority) Certify(h Hub, key []byte, now time.Time) ([]byte, error) {
	public, err := ParseIdentity(key)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", h.ID, err)
	}
	names := h.AllNames()
	if len(names) == 0 {
		return nil, fmt.Errorf("certify %s: it has no host name", h.ID)
	}
	for _, name := range names {
		if !a.permits(name) {
			return nil, fmt.Errorf("certify %s: the territory's authority is for %v alone, and not for %s", h.ID, a.certificate.PermittedDNSDomains, name)
		}
	}
	ends := now.Add(hubLife)
	if a.certificate.NotAfter.Before(ends) {
		ends = a.certificate.NotAfter
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Relais " + names[0]},
		NotBefore: now.Add(-backdated), NotAfter: ends,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names,
		ExcludedIPRanges: EveryAddress(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", h.ID, err)
	}
	return der, nil
}

// ErrOtherCertificate means that a certificate is not the one of a hub's authority.
var ErrOtherCertificate = errors.New("not the certificate of this hub's authority")

// CheckCertificate verifies that der is the certificate of the authority of h
// with this key (DER SubjectPublicKeyInfo): signed by the territory's authority,
// for these names and no other. The error is ErrOtherCertificate.
func (r *Roster) CheckCertificate(h Hub, key, der []byte) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOtherCertificate, err)
	}
	authority, err := x509.ParseCertificate(r.Authority)
	if err != nil {
		return fmt.Errorf("%w: the roster has no authority", ErrOtherCertificate)
	}
	names, allowed := slices.Sorted(slices.Values(h.AllNames())), slices.Sorted(slices.Values(c.PermittedDNSDomains))
	switch err := c.CheckSignatureFrom(authority); {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOtherCertificate, err)
	case !bytes.Equal(c.RawSubjectPublicKeyInfo, key):
		return fmt.Errorf("%w: it is of another key", ErrOtherCertificate)
	case !c.IsCA || !c.MaxPathLenZero || !c.PermittedDNSDomainsCritical || !slices.Equal(names, allowed):
		return fmt.Errorf("%w: it is for %q, not %q", ErrOtherCertificate, allowed, names)
	}
	return nil
}

// permits tells whether browsers take a certificate for the name under this
// authority: any, unless it was made for some domains.
func (a *Authority) permits(name string) bool {
	domains := a.certificate.PermittedDNSDomains
	return len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

// AllNames are the host names of the desk and, last, the kiosk's.
func (h Hub) AllNames() []string {
	if h.KioskName == "" {
		return slices.Clone(h.HostNames)
	}
	return append(slices.Clone(h.HostNames), h.KioskName)
}

// EveryAddress is what a certificate for names alone excludes: each IP address there
// is, without which a name constraint says nothing of them (RFC 5280 §4.2.1.10).
func EveryAddress() []*net.IPNet {
	return []*net.IPNet{
		{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
		{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
	}
}
