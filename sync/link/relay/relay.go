// Package relay is a line that can be cut: TCP forwarders and an HTTP CONNECT
// proxy that share one switch. It stands in the path between hubs, in tests and
// in the demonstration, so that cutting a hub off needs no flag in the hub.
//
// Put a forwarder in front of the address that the roster gives for a hub, and
// give the hub the proxy for its way out: Cut then stops all its traffic, both
// ways, as a router that lost its line and says so; Silence stops it as a van
// that drove into a tunnel, without a word; Restore lets it flow again.
package relay

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// dialTimeout bounds a connection to the far side.
const dialTimeout = 5 * time.Second

// Line is the switch and everything that passes through it.
type Line struct {
	work sync.WaitGroup

	mu        sync.Mutex // guards what follows
	spoke     *sync.Cond // silent or closed changed
	cut       bool
	silent    bool
	closed    bool
	listeners []net.Listener
	conns     map[net.Conn]bool
	octets    int64
}

// New returns a line without ends, not cut.
func New() *Line {
	l := &Line{conns: make(map[net.Conn]bool)}
	l.spoke = sync.NewCond(&l.mu)
	return l
}

// Forward listens on an address (port 0 for any) and passes every connection on
// to the target. It returns where it listens.
func (l *Line) Forward(listen, target string) (string, error) {
	return l.serve(listen, func(near net.Conn) { l.join(near, near, target) })
}

// Proxy listens on an address as an HTTP CONNECT proxy to anywhere, and returns
// where it listens, host:port.
func (l *Line) Proxy(listen string) (string, error) { return l.serve(listen, l.tunnel) }

// Cut closes what is open and, until Restore, whatever is opened.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for c := range l.conns {
		reset(c)
	}
}

// Silence lets nothing through and tells nobody, until Restore: connections stay
// open, and what is sent meanwhile waits.
func (l *Line) Silence() {
	l.mu.Lock()
	l.silent = true
	l.mu.Unlock()
}

// Restore lets connections through again.
func (l *Line) Restore() {
	l.mu.Lock()
	l.cut, l.silent = false, false
	l.spoke.Broadcast()
	l.mu.Unlock()
}

// Octets is how much has passed, both ways together.
func (l *Line) Octets() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.octets
}

// Close ends the line and waits for its goroutines.
func (l *Line) Close() error {
	l.mu.Lock()
	l.closed = true
	l.spoke.Broadcast()
	for _, listener := range l.listeners {
		listener.Close()
	}
	for c := range l.conns {
		reset(c)
	}
	l.mu.Unlock()
	l.work.Wait()
	return nil
}

func (l *Line) serve(listen string, handle func(net.Conn)) (string, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return "", fmt.Errorf("relay: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		listener.Close()
		return "", net.ErrClosed
	}
	l.listeners = append(l.listeners, listener)
	l.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if !l.begin(conn, func() { handle(conn) }) {
				reset(conn)
			}
		}
	})
	return listener.Addr().String(), nil
}

// begin runs f for a connection that may pass; false when the line is cut.
func (l *Line) begin(conn net.Conn, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || l.closed {
		return false
	}
	l.conns[conn] = true
	l.work.Go(func() {
		defer l.end(conn)
		f()
	})
	return true
}

// admit adds the far side of a connection; false when the line is cut.
func (l *Line) admit(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut || l.closed {
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *Line) end(conn net.Conn) {
	conn.Close()
	l.mu.Lock()
	delete(l.conns, conn)
	l.mu.Unlock()
}

// tunnel answers one CONNECT request.
func (l *Line) tunnel(near net.Conn) {
	near.SetReadDeadline(time.Now().Add(dialTimeout))
	buffered := bufio.NewReader(near)
	req, err := http.ReadRequest(buffered)
	if err != nil {
		return
	}
	near.SetReadDeadline(time.Time{})
	if req.Method != http.MethodConnect {
		io.WriteString(near, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
		return
	}
	l.join(near, buffered, req.Host)
}

// join connects to the target and copies both ways until either side ends. near
// is read through from, which may hold octets already; a tunnel is announced
// when the two differ.
func (l *Line) join(near net.Conn, from io.Reader, target string) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	var d net.Dialer
	far, err := d.DialContext(ctx, "tcp", target)
	tunnel := from != io.Reader(near)
	if err != nil {
		if tunnel {
			io.WriteString(near, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		}
		return
	}
	if !l.admit(far) {
		reset(far)
		return
	}
	defer l.end(far)
	if tunnel {
		io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(far, from); far.Close(); near.Close() })
	both.Go(func() { l.copy(near, far); far.Close(); near.Close() })
	both.Wait()
}

// copy passes octets on, unless the line is silent, and counts them as they go.
func (l *Line) copy(dst io.Writer, src io.Reader) {
	io.Copy(io.MultiWriter((*gate)(l), dst), src)
}

// gate is a line seen as a sink: it waits out a silence and counts.
type gate Line

func (g *gate) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.silent && !g.closed {
		g.spoke.Wait()
	}
	g.octets += int64(len(b))
	return len(b), nil
}

// reset closes a connection so that the other side knows at once.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
