package link

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"relais/node/id"
	"relais/node/label"
	"relais/node/territory"
)

// Why a peer is refused at the handshake.
var (
	ErrUnknownPeer  = errors.New("the roster does not know this hub")
	ErrExpelledPeer = errors.New("this hub is expelled from the territory")
	ErrForgedPeer   = errors.New("the certificate was not made by this hub's identity key")
	ErrWrongPeer    = errors.New("another hub answered")
	ErrNoRoster     = errors.New("no roster yet: no hub can be recognised")
)

// ServerTLS is the server's side of the link: TLS 1.3, both ends certified,
// exactly the hubs and the national service of the roster admitted. The roster
// is asked at every handshake. alpn are the protocols offered, best first.
func (c *Credentials) ServerTLS(roster func() *territory.Roster, alpn ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: alpn,
		ClientAuth: tls.RequireAnyClientCert, // and VerifyConnection decides
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.leaf.Load(), nil
		},
		// A resumed session would skip the look at the certificate, and with it
		// expulsion.
		SessionTicketsDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := verifyPeer(roster(), cs.PeerCertificates)
			return err
		},
	}
}

// ClientTLS is the client's side: the hub that answers must be want.
func (c *Credentials) ClientTLS(roster func() *territory.Roster, want territory.HubID, alpn ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: alpn,
		// The names of public TLS mean nothing here: VerifyConnection pins the
		// peer to the roster instead.
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.leaf.Load(), nil
		},
		SessionTicketsDisabled: true,
		VerifyConnection: func(cs tls.ConnectionState) error {
			return verifyIs(roster(), want, cs.PeerCertificates)
		},
	}
}

// verifyIs checks that the peer that showed the certificates is want.
func verifyIs(roster *territory.Roster, want territory.HubID, shown []*x509.Certificate) error {
	got, err := verifyPeer(roster, shown)
	if err == nil && got != want {
		err = fmt.Errorf("%w: %s instead of %s", ErrWrongPeer, got, want)
	}
	return err
}

// verifyPeer names the peer that showed the certificates. Dates are not looked
// at: a machine whose clock died must still pass on a revocation. outOfDate
// tells.
func verifyPeer(roster *territory.Roster, shown []*x509.Certificate) (territory.HubID, error) {
	if roster == nil {
		return territory.HubID{}, ErrNoRoster
	}
	if len(shown) != 1 {
		return territory.HubID{}, fmt.Errorf("%w: %d certificates instead of one", ErrForgedPeer, len(shown))
	}
	leaf := shown[0]
	hub, err := nameOf(leaf)
	if err != nil {
		return territory.HubID{}, err
	}
	identity, err := identityOf(roster, hub)
	if err != nil {
		return territory.HubID{}, fmt.Errorf("%s: %w", hub, err)
	}
	if !certifies(identity, leaf) {
		return territory.HubID{}, fmt.Errorf("%s: %w", hub, ErrForgedPeer)
	}
	return hub, nil
}

// certifies checks the identity key's signature on a leaf, and that it was made
// for a leaf: the issuer's name carries the label.
func certifies(identity *ecdsa.PublicKey, leaf *x509.Certificate) bool {
	digest := sha256.Sum256(leaf.RawTBSCertificate)
	return leaf.SignatureAlgorithm == x509.ECDSAWithSHA256 &&
		leaf.Issuer.CommonName == string(label.LinkLeaf) &&
		ecdsa.VerifyASN1(identity, digest[:], leaf.Signature)
}

// nameOf reads the one name in a leaf.
func nameOf(leaf *x509.Certificate) (territory.HubID, error) {
	if len(leaf.URIs) != 1 || leaf.URIs[0].Scheme != uriScheme {
		return territory.HubID{}, fmt.Errorf("%w: it names no hub", ErrForgedPeer)
	}
	hub, err := parseHub(leaf.URIs[0].Opaque)
	if err != nil {
		return territory.HubID{}, fmt.Errorf("%w: %w", ErrForgedPeer, err)
	}
	return hub, nil
}

// identityOf finds the identity key of a member that may connect.
func identityOf(roster *territory.Roster, hub territory.HubID) (*ecdsa.PublicKey, error) {
	member, ok := roster.Author(hub)
	switch {
	case !ok:
		return nil, ErrUnknownPeer
	case member.Expelled:
		return nil, ErrExpelledPeer
	}
	return member.Key, nil
}

// admitted tells whether the roster lets a peer connect.
func admitted(roster *territory.Roster, hub territory.HubID) bool {
	if roster == nil {
		return false
	}
	_, err := identityOf(roster, hub)
	return err == nil
}

// outOfDate tells whether the leaf's dates do not hold now: the peer's clock or
// ours is dead, or the peer cannot renew. It marks the peer and refuses nothing.
func outOfDate(leaf *x509.Certificate, now time.Time) bool {
	return now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)
}

// PeerOf is the hub or national service that sent a request, which the
// handshake verified; zero on a connection that is not the link's. The server
// must use ServerTLS or be the link's own: any other verifies nothing.
func PeerOf(r *http.Request) territory.HubID {
	if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 {
		return territory.HubID{}
	}
	hub, err := nameOf(r.TLS.PeerCertificates[0])
	if err != nil {
		return territory.HubID{}
	}
	return hub
}

// parseHub reads the shown form of a hub's name.
func parseHub(s string) (territory.HubID, error) {
	var hub territory.HubID
	return hub, unmarshal(&hub, s)
}

func unmarshal[K id.Kind](into *id.ID[K], s string) error { return into.UnmarshalText([]byte(s)) }
