package link

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"relais/node/label"
	"relais/node/territory"
)

const (
	// leafLife is how long the identity key certifies a TLS key for.
	leafLife = 7 * 24 * time.Hour
	// leafRenewal is how old a leaf may grow before the next one is made.
	leafRenewal = 4 * 24 * time.Hour
	// leafBackdate covers clocks that disagree a little.
	leafBackdate = 10 * time.Minute
	// renewalCheck is how often the age is looked at: a clock that was wrong at the
	// start is often set within minutes.
	renewalCheck = time.Minute
	// renewalRest is the pause after a renewal that failed.
	renewalRest = time.Hour
	// uriScheme makes the one name in a leaf: relais:h_….
	uriScheme = "relais"
)

// Credentials are what this machine shows its peers: a software TLS key that
// its identity key certified. The identity key may be a slow TPM; it signs once
// at the start and once every four days, never during a handshake.
type Credentials struct {
	self     territory.HubID
	identity crypto.Signer
	now      func() time.Time
	leaf     atomic.Pointer[tls.Certificate]
}

// NewCredentials makes a TLS key and has the identity key, P-256, certify it.
// now is nil for time.Now.
func NewCredentials(self territory.HubID, identity crypto.Signer, now func() time.Time) (*Credentials, error) {
	if now == nil {
		now = time.Now
	}
	if pub, ok := identity.Public().(*ecdsa.PublicKey); !ok || pub.Curve != elliptic.P256() {
		return nil, errors.New("the identity key is not a P-256 key")
	}
	c := &Credentials{self: self, identity: identity, now: now}
	if err := c.Renew(); err != nil {
		return nil, err
	}
	return c, nil
}

// Self is the name these credentials carry.
func (c *Credentials) Self() territory.HubID { return c.self }

// Renew makes a fresh TLS key and has it certified. Connections that stand keep
// the key they began with.
func (c *Credentials) Renew() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a TLS key: %w", err)
	}
	der, err := certify(c.self, &key.PublicKey, c.identity, c.now())
	if err != nil {
		return fmt.Errorf("certify the TLS key of %s: %w", c.self, err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read back the TLS certificate: %w", err)
	}
	c.leaf.Store(&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: parsed})
	return nil
}

// certify signs a leaf for one hub. Its issuer has no certificate: verifiers
// know the identity key from the roster. The issuer's name is the label that
// keeps this use of the identity key apart from all others.
func certify(self territory.HubID, pub *ecdsa.PublicKey, identity crypto.Signer, now time.Time) ([]byte, error) {
	leaf := &x509.Certificate{
		Subject:            pkix.Name{CommonName: self.String()},
		NotBefore:          now.Add(-leafBackdate),
		NotAfter:           now.Add(leafLife),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		ExtKeyUsage:        []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		URIs:               []*url.URL{{Scheme: uriScheme, Opaque: self.String()}},
		SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	issuer := &x509.Certificate{
		Subject:            pkix.Name{CommonName: string(label.LinkLeaf)},
		PublicKey:          identity.Public(),
		PublicKeyAlgorithm: x509.ECDSA,
	}
	return x509.CreateCertificate(rand.Reader, leaf, issuer, pub, identity)
}

// Run renews the leaf in time until ctx ends. A renewal that fails is tried
// again every hour: peers accept an old leaf and mark it. mended, unless it is
// nil, is called after the renewal of a leaf that our own clock no longer bears
// out: that clock has been set, and what was judged by it is to be judged again.
func (c *Credentials) Run(ctx context.Context, logger *slog.Logger, mended func()) error {
	tick := time.NewTicker(renewalCheck)
	defer tick.Stop()
	var rest time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		leaf, now := c.leaf.Load().Leaf, c.now()
		if age := now.Sub(leaf.NotBefore); age < leafRenewal && age >= 0 || time.Now().Before(rest) {
			continue
		}
		if err := c.Renew(); err != nil {
			rest = time.Now().Add(renewalRest)
			logger.Error("the link's TLS key was not renewed", "err", err)
			continue
		}
		logger.Info("the link's TLS key was renewed", "until", c.leaf.Load().Leaf.NotAfter)
		if mended != nil && outOfDate(leaf, now) {
			mended()
		}
	}
}
