// Package link carries all traffic between hubs: one TCP port, mutual TLS 1.3,
// exactly the roster admitted.
//
// A hub shows a software TLS key that its identity key certified (leaf.go). The
// other side checks that signature with the identity key the roster gives for
// the name, and nothing else: no authority, no host name, no date. A peer whose
// dates do not hold is marked, because a machine with a dead clock must still
// pass on a revocation; one the roster does not know, or expelled, is refused at
// the handshake, and its connections are closed when the roster changes.
//
// A hub that has no address, or whose address does not answer, is reached through
// another that has a session with it: a tunnel of one hop (tunnel.go), in which
// the two ends speak as over TCP, with a TLS of their own.
//
// By ALPN the port carries four things. relais/1 is one yamux session per peer,
// over which packets go best effort and streams reliably, all in frames that
// name both ends. h2 is HTTP/2 for sync/exchange. relais-join/1 is for a hub that
// was invited and that no roster lists yet: sync/enrolment (join.go). Under
// relais-expelled/1 an expelled hub reads there that it is (expelled.go).
//
// The traps, each paid for by somebody: a dial under a lock lets one sleeping
// peer stall all the others; a queue without a bound turns it into memory; a
// session resumed or a certificate checked by date alone forgets an expulsion.
// So dials happen in a goroutine of the peer's own, each peer has a bounded
// queue that drops the oldest, and tickets are off.
package link

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relais/node/territory"
)

// The protocols of the port.
const (
	ALPNSession = "relais/1"
	ALPNHTTP    = "h2"
)

// Options are what a link needs. Self, Identity, Roster and Listen are required.
type Options struct {
	Self territory.HubID
	// Identity is the hub's P-256 key. It may be slow: it signs once at the
	// start and every four days.
	Identity crypto.Signer
	// Roster is the current roster, or nil before the first; called often.
	Roster func() *territory.Roster
	Listen string // host:port, port 0 for any
	// Proxy, when not nil, is an HTTP CONNECT proxy for every outgoing
	// connection: http://host:port.
	Proxy *url.URL
	// Rendezvous are hubs of the roster, by id or name: those through which this hub
	// meets others that cannot reach it, best first. Those that it finds by itself
	// come after them; with none here, they do.
	Rendezvous []string
	// NoTransit: this hub is no rendezvous, and passes nothing on for others.
	NoTransit bool
	// Network carries the connections; nil: TCP.
	Network Network
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: discards
	// HTTP serves the h2 side; nil answers 404. Peers are verified before it is
	// called: see PeerOf.
	HTTP http.Handler
	// Join serves hubs that were invited and that no roster lists yet; nil: none
	// is. Nobody was verified: see Certified. Inviting tells whether somebody is
	// invited now; otherwise, and when it is nil, a stranger is refused at the
	// handshake. What it answers to GET is also for a hub that the roster lists as
	// expelled, at any time: ALPNExpelled.
	Join     http.Handler
	Inviting func() bool
}

// Receiver takes what peers send over relais/1. Its methods are called from the
// link's goroutines and must not block.
type Receiver interface {
	// Frame hands over a packet; the payload is the receiver's.
	Frame(from territory.HubID, kind Type, payload []byte)
	// Stream hands over a stream the peer opened; the receiver closes it.
	Stream(from territory.HubID, conn net.Conn)
	// Up says that a fresh session with the peer stands, whoever called.
	Up(peer territory.HubID)
	// Down says that no session with the peer stands since the moment at.
	Down(peer territory.HubID, at time.Time)
}

// Link is one hub's end of all its connections.
type Link struct {
	self         territory.HubID
	credentials  *Credentials
	roster       func() *territory.Roster
	proxy        *url.URL
	network      Network
	rendezvous   []string
	transit      *transit
	now          func() time.Time
	log          *slog.Logger
	listener     net.Listener
	server       *http.Server
	accepted     *handover    // h2 connections for the server
	join         *http.Server // nil: no stranger is listened to
	strangers    *handover    // their connections
	strangersNow atomic.Int32 // how many are open
	inviting     func() bool
	receiver     Receiver
	client       *http.Client
	refusals     rate.Sometimes // keeps a stranger's calls from filling the log

	ctx    context.Context // of all peers; ended by Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	peers  map[territory.HubID]*peer
	meters map[territory.HubID]*meter
	conns  map[*meteredConn]territory.HubID // every verified connection
}

// ErrClosed means that the link is closed.
var ErrClosed = errors.New("the link is closed")

// New certifies the TLS key and begins to listen; connections are answered
// while Run runs.
func New(o Options) (*Link, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = http.NotFoundHandler()
	}
	if p := o.Proxy; p != nil && (p.Scheme != "http" || p.Port() == "") {
		return nil, fmt.Errorf("link proxy %q is not http://host:port", p.Redacted())
	}
	credentials, err := NewCredentials(o.Self, o.Identity, o.Now)
	if err != nil {
		return nil, err
	}
	if o.Network == nil {
		o.Network = tcp{}
	}
	listener, err := o.Network.Listen(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	l := &Link{
		rendezvous: o.Rendezvous, transit: newTransit(o.NoTransit),
		self: o.Self, credentials: credentials, roster: o.Roster, proxy: o.Proxy, network: o.Network,
		now: o.Now, log: o.Logger, refusals: rate.Sometimes{First: 10, Interval: time.Second}, listener: listener, accepted: newHandover(listener.Addr()),
		peers:  make(map[territory.HubID]*peer),
		meters: make(map[territory.HubID]*meter),
		conns:  make(map[*meteredConn]territory.HubID),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.server = l.newServer(o.HTTP)
	if o.Join != nil && o.Inviting != nil {
		l.join, l.strangers, l.inviting = l.newJoinServer(o.Join), newHandover(listener.Addr()), o.Inviting
	}
	l.client = l.newClient()
	return l, nil
}

// Self is this hub.
func (l *Link) Self() territory.HubID { return l.self }

// Credentials are what this link shows; others on this machine may show them
// too, to the national service for one.
func (l *Link) Credentials() *Credentials { return l.credentials }

// Addr is where the link listens.
func (l *Link) Addr() net.Addr { return l.listener.Addr() }

// Receive sets who takes what peers send. For wiring, once, before Run.
func (l *Link) Receive(r Receiver) { l.receiver = r }

// Run answers peers, renews the TLS key and follows the roster, until ctx ends
// or Close is called. It closes the link before it returns.
func (l *Link) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	l.run(func() { l.credentials.Run(l.ctx, l.log, l.hangUp) })
	l.run(l.followRoster)
	l.run(l.straighten)
	l.run(func() { l.server.Serve(l.accepted) })
	if l.join != nil {
		l.run(func() { l.join.Serve(strangers{l.strangers}) })
	}
	l.accept()
	l.Close()
	return ctx.Err()
}

// hangUp ends every connection, so that the next ones begin with a fresh look at
// certificates: ours is another, and what we thought of the dates of theirs was by
// a clock that has been set since.
func (l *Link) hangUp() {
	l.log.Warn("the clock was set: link peers are met again")
	l.mu.Lock()
	open := slices.Collect(maps.Keys(l.conns))
	l.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
}

// run starts a goroutine that Close waits for; false when the link is closed.
func (l *Link) run(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.work.Go(f)
	return true
}

// meterOf is the running count of one peer; it outlives its connections.
func (l *Link) meterOf(peer territory.HubID) *meter {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.meters[peer]
	if m == nil {
		m = &meter{}
		l.meters[peer] = m
	}
	return m
}

// Close ends every connection and waits for the link's goroutines. Calling it
// again is no error.
func (l *Link) Close() error {
	l.mu.Lock()
	first := !l.closed
	l.closed = true
	open := slices.Collect(maps.Keys(l.conns))
	l.mu.Unlock()
	if first {
		l.cancel()
		l.listener.Close()
		l.accepted.Close()
		l.server.Close()
		if l.join != nil {
			l.strangers.Close()
			l.join.Close()
		}
		l.client.CloseIdleConnections()
		for _, c := range open {
			c.Close()
		}
	}
	l.work.Wait()
	return nil
}
