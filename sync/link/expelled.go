package link

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"

	"relais/node/territory"
)

// ALPNExpelled is the fourth protocol of the port: HTTP/1.1 for a hub that the
// roster lists as expelled, and for nobody else. It reads what Options.Join gives
// to read, which is the roster that expels it: a hub that was told nothing would
// show no alarm, and go on granting.
const ALPNExpelled = "relais-expelled/1"

// SchemeExpelled is of the URLs, relais-expelled://h_…/…, by which HTTPClient asks
// a hub that refuses this one.
const SchemeExpelled = "relais-expelled"

// refusalsInARow is after how many refused calls a hub counts as refused there.
const refusalsInARow = 3

var (
	// ErrNotRefused means that nothing says this hub was expelled: some peer hears
	// it, or that one does not refuse it; or it knows already.
	ErrNotRefused = errors.New("the peer does not refuse this hub, or another hears it")
	// errRefusedThere means that a peer answered, proved who it is, and hung up.
	errRefusedThere = errors.New("refused there")
)

// expelledTLS lets in who proves to be an expelled member.
func (l *Link) expelledTLS() *tls.Config {
	config := l.credentials.joinTLS()
	config.NextProtos = []string{ALPNExpelled}
	config.VerifyConnection = func(cs tls.ConnectionState) error { return verifyExpelled(l.roster(), cs.PeerCertificates) }
	return config
}

// verifyExpelled is verifyPeer for who is a peer no more.
func verifyExpelled(roster *territory.Roster, shown []*x509.Certificate) error {
	if roster == nil {
		return ErrNoRoster
	}
	if len(shown) != 1 {
		return fmt.Errorf("%w: %d certificates instead of one", ErrForgedPeer, len(shown))
	}
	hub, err := nameOf(shown[0])
	if err != nil {
		return err
	}
	switch member, listed := roster.Author(hub); {
	case !listed || !member.Expelled:
		return fmt.Errorf("%s: %w", hub, ErrUnknownPeer)
	case !certifies(member.Key, shown[0]):
		return fmt.Errorf("%s: %w", hub, ErrForgedPeer)
	}
	return nil
}

// mayOnlyRead tells whether a caller of the join side is there to read the roster,
// and wants more.
func mayOnlyRead(r *http.Request) bool {
	return r.TLS.NegotiatedProtocol == ALPNExpelled && r.Method != http.MethodGet
}

// refusing is the round tripper of SchemeExpelled.
type refusing struct {
	link *Link
	http *http.Transport
}

func (l *Link) newRefusing() *refusing {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &refusing{l, &http.Transport{
		Protocols: protocols, DialTLSContext: l.dialExpelled, DisableKeepAlives: true, DisableCompression: true,
		ResponseHeaderTimeout: joinTimeout,
	}}
}

// RoundTrip implements http.RoundTripper. It calls nobody but a hub that refuses
// this one, while no hub hears it: ErrNotRefused.
func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	hub, err := parseHub(req.URL.Host)
	if err == nil && !r.link.refused(hub) {
		err = ErrNotRefused
	}
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	req.URL.Scheme = "https"
	return r.http.RoundTrip(req)
}

// dialExpelled connects to the hub that a URL's host names, as one it expelled.
func (l *Link) dialExpelled(ctx context.Context, _, address string) (net.Conn, error) {
	return l.dialNamed(ctx, address, ALPNExpelled, l.dialDirect)
}

// refused tells whether a peer hangs up on this hub each time, and no other hears
// it, while its own roster says it is a member.
func (l *Link) refused(hub territory.HubID) bool {
	if roster := l.roster(); roster == nil || !admitted(roster, l.self) {
		return false
	}
	l.mu.Lock()
	peers := make([]*peer, 0, len(l.peers))
	for _, p := range l.peers {
		peers = append(peers, p)
	}
	l.mu.Unlock()
	var refuses bool
	for _, p := range peers {
		stands, hangsUp := p.standing()
		if stands {
			return false
		}
		refuses = refuses || hangsUp && p.id == hub
	}
	return refuses
}

// standing tells whether a session stands with the peer, or it hangs up each time.
func (p *peer) standing() (stands, hangsUp bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current() != nil, errors.Is(p.dialErr, errRefusedThere) && p.rest.fails >= refusalsInARow
}
