package link

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"relais/node/territory"
)

const (
	// dialTimeout bounds one attempt on one address, proxy and handshake included.
	dialTimeout = 8 * time.Second
	// nationalPort is the port of an https URL that names none.
	nationalPort = "443"
)

// errNoAddress means that a peer can only call out.
var errNoAddress = errors.New("the roster gives no address for this peer")

// addressesOf are where a peer answers, best first.
func addressesOf(roster *territory.Roster, hub territory.HubID) ([]string, error) {
	if roster == nil {
		return nil, ErrNoRoster
	}
	if h, ok := roster.Hub(hub); ok {
		if len(h.Addresses) == 0 {
			return nil, errNoAddress
		}
		return h.Addresses, nil
	}
	if n := roster.National; n != nil && n.ID == hub {
		u, err := url.Parse(n.URL)
		if err != nil || u.Host == "" {
			return nil, errNoAddress
		}
		port := u.Port()
		if port == "" {
			port = nationalPort
		}
		return []string{net.JoinHostPort(u.Hostname(), port)}, nil
	}
	return nil, ErrUnknownPeer
}

// way is how a peer is called: it connects and verifies that it is that peer.
type way func(ctx context.Context, hub territory.HubID, alpn string) (*tls.Conn, *meteredConn, error)

// dialTLS calls a peer at its addresses and, when none answers, through a
// rendezvous; or the other way round while a session through one stands, since the
// addresses were tried for it.
func (l *Link) dialTLS(ctx context.Context, hub territory.HubID, alpn string) (*tls.Conn, *meteredConn, error) {
	ways := []way{l.dialDirect, l.dialThrough}
	if !l.Peer(hub).Via.IsZero() {
		slices.Reverse(ways)
	}
	var failures []error
	for _, dial := range ways {
		conn, raw, err := dial(ctx, hub, alpn)
		if err == nil {
			return conn, raw, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, nil, errors.Join(failures...)
}

// dialDirect calls a peer over the first of its addresses that answers.
func (l *Link) dialDirect(ctx context.Context, hub territory.HubID, alpn string) (*tls.Conn, *meteredConn, error) {
	if hub == l.self {
		return nil, nil, errors.New("a hub does not call itself")
	}
	addresses, err := addressesOf(l.roster(), hub)
	if err != nil {
		return nil, nil, fmt.Errorf("dial %s: %w", hub, err)
	}
	var failures []error
	for _, address := range addresses {
		conn, raw, err := l.dialOne(ctx, hub, address, alpn)
		if err == nil {
			return conn, raw, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, nil, fmt.Errorf("dial %s: %w", hub, errors.Join(failures...))
}

func (l *Link) dialOne(ctx context.Context, hub territory.HubID, address, alpn string) (*tls.Conn, *meteredConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var raw *meteredConn
	_, err := dialPlain(ctx, l.network, l.proxy, address, func(plain net.Conn) net.Conn {
		raw = &meteredConn{Conn: plain}
		l.charge(raw, hub) // our own call: its octets are this peer's even if it fails
		return raw
	})
	if err != nil {
		return nil, nil, err
	}
	conn := tls.Client(raw, l.credentials.ClientTLS(l.roster, hub, alpn))
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, nil, err
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != alpn {
		raw.Close()
		return nil, nil, fmt.Errorf("%s speaks %q, not %q", address, got, alpn)
	}
	return conn, raw, nil
}

// dialPlain connects to an address, through the proxy if there is one. wrap sees
// the connection before its first octet.
func dialPlain(ctx context.Context, network Network, proxy *url.URL, address string, wrap func(net.Conn) net.Conn) (net.Conn, error) {
	first := address
	if proxy != nil {
		first = proxy.Host
	}
	plain, err := network.Dial(ctx, first)
	if err != nil {
		return nil, err
	}
	conn := wrap(plain)
	if proxy == nil {
		return conn, nil
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := connectThrough(conn, proxy, address); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// connectThrough asks an HTTP proxy for a tunnel (RFC 9110 §9.3.6). The caller
// bounds it in time by closing the connection.
func connectThrough(conn net.Conn, proxy *url.URL, address string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: make(http.Header)}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return fmt.Errorf("ask the proxy for %s: %w", address, err)
	}
	// One octet at a time would be exact; a small buffer is enough, because
	// nothing follows the answer until we speak.
	buffered := bufio.NewReaderSize(conn, 4<<10)
	resp, err := http.ReadResponse(buffered, req) //nolint:bodyclose // the answer to CONNECT has none
	if err != nil {
		return fmt.Errorf("ask the proxy for %s: %w", address, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy refuses %s: %s", address, resp.Status)
	}
	if buffered.Buffered() > 0 {
		return fmt.Errorf("the proxy sent octets of its own before %s", address)
	}
	return nil
}
