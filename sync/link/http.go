package link

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// The limits of the h2 side.
const (
	httpHeaderTimeout = 10 * time.Second
	httpReadTimeout   = time.Minute
	httpWriteTimeout  = 2 * time.Minute
	httpIdleTimeout   = 2 * time.Minute
	httpHeaderOctets  = 16 << 10
	httpPingAfter     = 15 * time.Second // silence on a connection in use before it is tried
	httpPingTimeout   = 10 * time.Second
)

// newServer serves the h2 side. Connections come from accept, verified.
func (l *Link) newServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           l.stillAdmitted(h),
		ReadHeaderTimeout: httpHeaderTimeout,
		ReadTimeout:       httpReadTimeout,
		WriteTimeout:      httpWriteTimeout,
		IdleTimeout:       httpIdleTimeout,
		MaxHeaderBytes:    httpHeaderOctets,
		ErrorLog:          slog.NewLogLogger(l.log.Handler(), slog.LevelDebug),
	}
}

// stillAdmitted refuses a request on a connection that outlived its peer's
// place in the roster by a moment.
func (l *Link) stillAdmitted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admitted(l.roster(), PeerOf(r)) {
			http.Error(w, ErrUnknownPeer.Error(), http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// HTTPClient reaches https://h_…/ URLs: hubs and the national service by name,
// at the addresses of the roster, verified. It has no timeout of its own. Under
// SchemeExpelled it reaches hubs that refuse this one.
func (l *Link) HTTPClient() *http.Client { return l.client }

func (l *Link) newClient() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	transport := &http.Transport{
		DialTLSContext:     l.dialHTTP,
		ForceAttemptHTTP2:  true,
		Protocols:          protocols,
		IdleConnTimeout:    httpIdleTimeout,
		DisableCompression: true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: httpPingAfter, PingTimeout: httpPingTimeout},
	}
	transport.RegisterProtocol(SchemeExpelled, l.newRefusing())
	return &http.Client{
		Transport: transport,
		// A peer that sends us elsewhere is not followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dialHTTP connects to the hub that a URL's host names.
func (l *Link) dialHTTP(ctx context.Context, _, address string) (net.Conn, error) {
	return l.dialNamed(ctx, address, ALPNHTTP, l.dialTLS)
}

func (l *Link) dialNamed(ctx context.Context, address, alpn string, dial way) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	hub, err := parseHub(host)
	if err != nil {
		return nil, fmt.Errorf("the link reaches hubs only: %w", err)
	}
	conn, raw, err := dial(ctx, hub, alpn)
	if err != nil {
		return nil, err
	}
	if !l.register(raw, hub) {
		raw.Close()
		return nil, ErrClosed
	}
	l.markDates(hub, conn.ConnectionState())
	return conn, nil
}

// handover is the listener through which verified connections reach the server.
type handover struct {
	addr  net.Addr
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (h *handover) give(conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-h.done:
		conn.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return h.addr }

// muxLog passes what yamux says on, for those who look closely.
type muxLog struct{ log *slog.Logger }

func (m muxLog) Printf(format string, v ...any) { m.log.Debug(fmt.Sprintf(format, v...)) }
func (m muxLog) Print(v ...any)                 { m.log.Debug(fmt.Sprint(v...)) }
func (m muxLog) Println(v ...any)               { m.log.Debug(fmt.Sprint(v...)) }
