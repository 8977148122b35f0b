package webui

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/certmagic"

	"relais/node/territory"
)

// How long the hub's own certificates live. A leaf is renewed when a third of
// its life is left, so a machine off for ten days starts with a valid one, and
// one off for longer renews before it answers.
const (
	rootLife = 10 * 365 * 24 * time.Hour
	leafLife = 30 * 24 * time.Hour
	// backdated lets clients whose clock is a little behind accept a new one.
	backdated = time.Hour
)

// ca is the hub's own certificate authority. Its certificate is constrained,
// critically, to the hub's host names: trusted by a whole département, its key
// still makes no certificate for any other site.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// above is the territory's authority, which certified this one; nil: nobody
	// did, and cert is self-signed.
	above *x509.Certificate
}

// root is what browsers are to trust.
func (c *ca) root() *x509.Certificate {
	if c.above != nil {
		return c.above
	}
	return c.cert
}

// AuthorityKey returns the public key of the authority of a hub with these host
// names, made if there is none: DER SubjectPublicKeyInfo, for the territory to
// certify.
func AuthorityKey(ctx context.Context, s secrets, names []string) ([]byte, error) {
	c, err := loadCA(ctx, s, names, time.Now())
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKIXPublicKey(c.key.Public())
}

// CertifyAuthority keeps the certificate, DER, by which the territory's
// authority, whose own certificate is above, vouches for the hub's. It refuses
// one of another key, for other names, or that the territory's did not sign. A
// server that runs shows it once its authority is reopened.
func CertifyAuthority(ctx context.Context, s secrets, names []string, certificate, above []byte) error {
	c, err := loadCA(ctx, s, names, time.Now())
	if err != nil {
		return err
	}
	certified := *c
	if certified.cert, err = x509.ParseCertificate(certificate); err != nil {
		return fmt.Errorf("read the certificate of the authority: %w", err)
	}
	if certified.above, err = x509.ParseCertificate(above); err != nil {
		return fmt.Errorf("read the territory's certificate: %w", err)
	}
	if err := certified.check(names); err != nil {
		return err
	}
	bundle, err := certified.bundle()
	if err != nil {
		return err
	}
	return s.Store(ctx, bundleKey(names), bundle)
}

// check says why what the territory signed is not this authority's.
func (c *ca) check(names []string) error {
	switch {
	case !c.key.PublicKey.Equal(c.cert.PublicKey):
		return errors.New("the certificate is of another key than this hub's authority")
	case !sameNames(c.cert.PermittedDNSDomains, names):
		return fmt.Errorf("the certificate is for %v, and this hub answers to %v", c.cert.PermittedDNSDomains, names)
	}
	if err := c.cert.CheckSignatureFrom(c.above); err != nil {
		return fmt.Errorf("the certificate is not signed by the territory: %w", err)
	}
	return nil
}

// makeCA makes the authority of these names with a key: a fresh one, or the same as
// before.
func makeCA(key *ecdsa.PrivateKey, names []string, now time.Time) (*ca, error) {
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "Relais " + names[0]},
		NotBefore: now.Add(-backdated), NotAfter: now.Add(rootLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names,
		ExcludedIPRanges: territory.EveryAddress(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the local authority: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &ca{cert: cert, key: key}, nil
}

// bundle is the authority as it is kept.
func (c *ca) bundle() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		return nil, err
	}
	out := append(certificatePEM(c.cert.Raw), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if c.above != nil {
		out = append(out, certificatePEM(c.above.Raw)...)
	}
	return out, nil
}

func parseCA(bundle []byte) (*ca, error) {
	certBlock, rest := pem.Decode(bundle)
	keyBlock, rest := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil {
		return nil, errors.New("the local authority is not a certificate and a key")
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the local authority: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the local authority's key: %w", err)
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("the local authority's key is not its certificate's")
	}
	c := &ca{cert: cert, key: signer}
	if above, _ := pem.Decode(rest); above != nil {
		if c.above, err = x509.ParseCertificate(above.Bytes); err != nil {
			return nil, fmt.Errorf("read the territory's authority: %w", err)
		}
	}
	return c, nil
}

// issue signs a certificate for the key and names of a request.
func (c *ca) issue(request *x509.CertificateRequest, now time.Time) ([]byte, error) {
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	template := &x509.Certificate{
		NotBefore: now.Add(-backdated), NotAfter: now.Add(leafLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: request.DNSNames, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, request.PublicKey, c.key)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	return append(certificatePEM(der), certificatePEM(c.cert.Raw)...), nil
}

// issuer is certmagic's view of the authority.
type issuer struct {
	ca  *ca
	now func() time.Time
}

var _ certmagic.Issuer = issuer{}

// Issue implements certmagic.Issuer.
func (i issuer) Issue(_ context.Context, request *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	chain, err := i.ca.issue(request, i.now())
	if err != nil {
		return nil, err
	}
	return &certmagic.IssuedCertificate{Certificate: chain}, nil
}

// IssuerKey implements certmagic.Issuer: certificates of an earlier authority
// are not mistaken for this one's.
func (i issuer) IssuerKey() string {
	sum := sha256.Sum256(i.ca.cert.Raw)
	return "relais-" + hex.EncodeToString(sum[:8])
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
