package simulation_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// fabric is the network of a territory, in memory: what TCP is to a link. Octets
// arrive late and in order; one that is lost delays itself and all behind it.
// Hosts on two sides of a cut do not hear each other: what is under way waits, or
// is reset.
type fabric struct {
	loss  float64 // of segments
	delay time.Duration

	mu        sync.Mutex // guards what follows, and every wire
	draw      *rand.Rand
	listeners map[string]*listener
	sides     map[string]int // by host
	divided   time.Time      // when they last changed
	wires     map[*wire]bool
}

func newFabric(draw *rand.Rand) *fabric {
	return &fabric{
		loss:  []float64{0, 0.02, 0.2}[draw.IntN(3)],
		delay: time.Duration(1+draw.IntN(80)) * time.Millisecond,
		draw:  rand.New(rand.NewPCG(draw.Uint64(), 0)), listeners: make(map[string]*listener), sides: make(map[string]int), wires: make(map[*wire]bool),
	}
}

// divide puts hosts on sides; those not named are on side 0.
func (f *fabric) divide(sides map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sides, f.divided = sides, time.Now()
	for w := range f.wires {
		if f.cut(w.from, w.to) && f.draw.IntN(2) == 0 {
			w.reset = true
		}
		w.changed.Broadcast()
	}
}

// cut tells whether two hosts are apart. The caller holds mu.
func (f *fabric) cut(a, b string) bool { return f.sides[a] != f.sides[b] }

// host is the fabric as one machine sees it.
type host struct {
	*fabric
	name string
}

// Listen implements link.Network.
func (h host) Listen(address string) (net.Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[address] != nil {
		return nil, syscall.EADDRINUSE
	}
	l := &listener{host: h, address: address, calls: make(chan net.Conn), done: make(chan struct{})}
	h.listeners[address] = l
	return l, nil
}

// Dial implements link.Network. Nobody answers over a cut, and a machine that is
// off says nothing or is refused for by the router before it.
func (h host) Dial(ctx context.Context, address string) (net.Conn, error) {
	h.mu.Lock()
	l, silent := h.listeners[address], h.draw.IntN(2) == 0
	if l != nil && h.cut(h.name, l.host.name) {
		l, silent = nil, true
	}
	h.mu.Unlock()
	switch {
	case l == nil && silent:
		<-ctx.Done()
		return nil, ctx.Err()
	case l == nil:
		return nil, syscall.ECONNREFUSED
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(h.delay):
	}
	ours, theirs := h.pair(h.name, l.host.name)
	select {
	case l.calls <- theirs:
		return ours, nil
	case <-l.done:
	case <-ctx.Done():
	}
	ours.Close()
	theirs.Close()
	return nil, syscall.ECONNREFUSED
}

type listener struct {
	host    host
	address string
	calls   chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.host.mu.Lock()
		delete(l.host.listeners, l.address)
		l.host.mu.Unlock()
		close(l.done)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.address) }

type address string

func (address) Network() string  { return "simulated" }
func (a address) String() string { return string(a) }

// wire is one direction of a connection.
type wire struct {
	*fabric
	from, to string
	changed  sync.Cond // on fabric.mu

	chunks   []chunk
	wrote    time.Time // when the newest chunk was written
	last     time.Time // when it arrives
	ended    bool      // the writer closed
	reset    bool
	readBy   time.Time // deadline; zero: none
	writeBy  time.Time
	unwanted bool // the reader closed
}

type chunk struct {
	at   time.Time
	data []byte
}

// end is one end of a connection.
type end struct{ in, out *wire }

func (f *fabric) pair(a, b string) (net.Conn, net.Conn) {
	there, back := &wire{fabric: f, from: a, to: b}, &wire{fabric: f, from: b, to: a}
	there.changed.L, back.changed.L = &f.mu, &f.mu
	f.mu.Lock()
	f.wires[there], f.wires[back] = true, true
	f.mu.Unlock()
	return &end{in: back, out: there}, &end{in: there, out: back}
}

func (e *end) Read(b []byte) (int, error) {
	w := e.in
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		now := time.Now()
		var wake time.Time
		switch {
		case w.unwanted:
			return 0, net.ErrClosed
		case !w.readBy.IsZero() && !now.Before(w.readBy):
			return 0, os.ErrDeadlineExceeded
		case w.reset:
			return 0, syscall.ECONNRESET
		case len(w.chunks) > 0 && !now.Before(w.chunks[0].at) && (!w.cut(w.from, w.to) || !w.chunks[0].at.After(w.divided)):
			n := copy(b, w.chunks[0].data)
			if w.chunks[0].data = w.chunks[0].data[n:]; len(w.chunks[0].data) == 0 {
				w.chunks = w.chunks[1:]
			}
			return n, nil
		case w.cut(w.from, w.to): // and what had arrived is read
		case len(w.chunks) > 0:
			wake = w.chunks[0].at
		case w.ended:
			return 0, io.EOF
		}
		if wake.IsZero() || !w.readBy.IsZero() && w.readBy.Before(wake) {
			wake = w.readBy
		}
		if wake.IsZero() {
			w.changed.Wait()
			continue
		}
		timer := time.AfterFunc(wake.Sub(now), w.changed.Broadcast)
		w.changed.Wait()
		timer.Stop()
	}
}

// Write never waits: what nobody reads is bounded by the protocols above. What is
// written in one instant arrives in one: yamux waits for the body of a frame with
// a mutex held, and for a mutex the clock of a bubble does not move.
func (e *end) Write(b []byte) (int, error) {
	w := e.out
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.ended:
		return 0, net.ErrClosed
	case w.reset || w.unwanted:
		return 0, syscall.ECONNRESET
	case !w.writeBy.IsZero() && !time.Now().Before(w.writeBy):
		return 0, os.ErrDeadlineExceeded
	}
	at := w.last
	if now := time.Now(); !now.Equal(w.wrote) {
		at = now.Add(w.delay/2 + time.Duration(w.draw.Int64N(int64(w.delay))))
		if w.draw.Float64() < w.loss {
			at = at.Add(max(200*time.Millisecond, 2*w.delay)) // sent again
		}
		if at.Before(w.last) {
			at = w.last
		}
		w.wrote, w.last = now, at
	}
	w.chunks = append(w.chunks, chunk{at, append([]byte(nil), b...)})
	w.changed.Broadcast()
	return len(b), nil
}

func (e *end) Close() error {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	e.in.unwanted, e.out.ended = true, true
	if e.out.unwanted { // the other end closed too
		delete(e.in.wires, e.in)
		delete(e.in.wires, e.out)
	}
	e.in.changed.Broadcast()
	e.out.changed.Broadcast()
	return nil
}

func (e *end) LocalAddr() net.Addr  { return address(e.out.from) }
func (e *end) RemoteAddr() net.Addr { return address(e.out.to) }

func (e *end) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

func (e *end) SetReadDeadline(t time.Time) error {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	e.in.readBy = t
	e.in.changed.Broadcast()
	return nil
}

func (e *end) SetWriteDeadline(t time.Time) error {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	e.out.writeBy = t
	return nil
}
