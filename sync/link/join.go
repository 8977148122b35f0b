package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"relais/node/territory"
)

// ALPNJoin is the third protocol of the port: HTTP/1.1 for a hub that no roster
// lists yet, and that was invited. It reaches Options.Join and nothing else.
const ALPNJoin = "relais-join/1"

// The limits of the join side: whoever speaks there is a stranger.
const (
	joinsAtOnce      = 8
	strangersAtOnce  = 32               // connections, idle ones included
	joinTimeout      = 15 * time.Second // a whole exchange
	joinHeaderOctets = 4 << 10
)

// joinTLS lets a stranger in who shows a certificate as a hub does. Which
// identity certified it is settled once the stranger has said who it is:
// Certified.
func (c *Credentials) joinTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{ALPNJoin},
		ClientAuth: tls.RequireAnyClientCert,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.leaf.Load(), nil
		},
		SessionTicketsDisabled: true,
	}
}

// serverTLS is ServerTLS of the link's own protocols and, for who asks for that
// alone, of the join side while somebody is invited, or for an expelled hub.
func (l *Link) serverTLS() *tls.Config {
	hubs := l.credentials.ServerTLS(l.roster, ALPNSession, ALPNHTTP)
	if l.join == nil {
		return hubs
	}
	strangers, expelled := l.credentials.joinTLS(), l.expelledTLS()
	hubs.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		switch alone := len(hello.SupportedProtos) == 1; {
		case alone && hello.SupportedProtos[0] == ALPNJoin && l.inviting():
			return strangers, nil
		case alone && hello.SupportedProtos[0] == ALPNExpelled:
			return expelled, nil
		}
		return nil, nil // hubs
	}
	return hubs
}

// Certified tells whether the identity (DER SubjectPublicKeyInfo, P-256)
// certified the key with which the caller's connection was made: the caller
// holds that identity.
func Certified(r *http.Request, identity []byte) bool {
	if r.TLS == nil || len(r.TLS.PeerCertificates) != 1 {
		return false
	}
	leaf := r.TLS.PeerCertificates[0]
	hub, err := nameOf(leaf)
	if err != nil || hub != territory.HubIDOf(identity) {
		return false
	}
	key, err := territory.ParseIdentity(identity)
	return err == nil && certifies(key, leaf)
}

// newJoinServer answers strangers, few at a time.
func (l *Link) newJoinServer(h http.Handler) *http.Server {
	slots := make(chan struct{}, joinsAtOnce)
	return &http.Server{
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			state := conn.(stranger).ConnectionState()
			return context.WithValue(ctx, strangerKey{}, &state)
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.TLS = r.Context().Value(strangerKey{}).(*tls.ConnectionState)
			if mayOnlyRead(r) {
				http.Error(w, ErrExpelledPeer.Error(), http.StatusForbidden)
				return
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				h.ServeHTTP(w, r)
			default:
				w.Header().Set("Retry-After", "5")
				http.Error(w, "too many at once", http.StatusServiceUnavailable)
			}
		}),
		ReadTimeout: joinTimeout, WriteTimeout: joinTimeout, IdleTimeout: joinTimeout,
		MaxHeaderBytes: joinHeaderOctets,
		ErrorLog:       slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
}

// stranger is a connection of the join side. net/http closes a *tls.Conn whose
// protocol it does not know; of any other it asks nothing, and is told here.
type stranger struct{ *tls.Conn }

// strangerKey is of the connection's state in a request's context.
type strangerKey struct{}

// strangers is the listener of the join server.
type strangers struct{ *handover }

// Accept implements net.Listener.
func (s strangers) Accept() (net.Conn, error) {
	conn, err := s.handover.Accept()
	if err != nil {
		return nil, err
	}
	return stranger{conn.(*tls.Conn)}, nil
}

// giveStranger hands a stranger's connection to the join server, unless there are
// too many: the rest of the port belongs to the hubs.
func (l *Link) giveStranger(conn *tls.Conn, raw *meteredConn) {
	if l.strangersNow.Add(1) > strangersAtOnce {
		l.strangersNow.Add(-1)
		raw.Close()
		return
	}
	gone := func() { l.strangersNow.Add(-1) }
	raw.closed.Store(&gone)
	l.strangers.give(conn)
}

// A Caller reaches a hub whose territory it is not of yet.
type Caller struct {
	credentials *Credentials
	proxy       *url.URL
}

// NewCaller returns a caller that shows these credentials; proxy is nil for
// calling directly.
func NewCaller(c *Credentials, proxy *url.URL) *Caller { return &Caller{c, proxy} }

// Client returns an HTTP client for the join side at an address, whatever a
// request's URL says. With a roster, only hub answers, certified by its identity
// in that roster; with nil anybody does, and what comes proves itself or is
// worth nothing. Close its idle connections when done.
func (c *Caller) Client(address string, roster *territory.Roster, hub territory.HubID) *http.Client {
	config := c.credentials.ClientTLS(func() *territory.Roster { return roster }, hub, ALPNJoin)
	if roster == nil {
		config.VerifyConnection = func(tls.ConnectionState) error { return nil }
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Timeout: joinTimeout,
		Transport: &http.Transport{
			Protocols: protocols,
			DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return c.dial(ctx, address, config)
			},
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ErrNotInviting means that the hub that answers expects nobody: no invitation
// of its is open.
var ErrNotInviting = errors.New("the hub that answers expects nobody")

func (c *Caller) dial(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	plain, err := dialPlain(ctx, tcp{}, c.proxy, address, func(c net.Conn) net.Conn { return c })
	if err != nil {
		return nil, err
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" { // it answered, by an alert
			return nil, fmt.Errorf("%w: %w", ErrNotInviting, err)
		}
		return nil, err
	}
	return conn, nil
}
