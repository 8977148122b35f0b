package link

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"relais/node/territory"
)

// The limits of what a hub passes on for others. They delay and never drop: what
// waits is at most a window of yamux (256 KiB) each way and tunnel, and then the
// sender waits.
const (
	transitAtOnce  = 1024      // tunnels
	transitPerHub  = 64        // tunnels that one hub asked for
	transitPerPair = 8         // and of these, to one hub: a session, HTTP, and their successors
	transitAll     = 256 << 10 // octets a second, all tunnels together
	transitEach    = 64 << 10  // octets a second, one tunnel, both ways
	transitBurst   = 64 << 10  // octets that a tunnel may be ahead of that
	transitQuiet   = 4 << 10   // octets a second that never wait for other tunnels
	transitAtATime = 4 << 10   // octets passed on in one piece
)

// transit is what this hub passes on between others, and may read nothing of.
type transit struct {
	refuses bool
	each    rate.Limit
	all     *rate.Limiter

	octets  atomic.Int64
	refused atomic.Int64

	mu  sync.Mutex              // guards what follows
	now map[pair]int            // tunnels open
	by  map[territory.HubID]int // by who asked
	sum int
}

// pair is who asked for a tunnel, and to whom.
type pair struct{ src, dst territory.HubID }

func newTransit(refuses bool) *transit {
	return &transit{
		refuses: refuses, each: transitEach, all: rate.NewLimiter(transitAll, transitAll),
		now: make(map[pair]int), by: make(map[territory.HubID]int),
	}
}

// Transit is what a hub passes on between others.
type Transit struct {
	Tunnels int   `json:"tunnels"` // open now
	Octets  int64 `json:"octets"`  // passed on since the start, both ways
	Refused int64 `json:"refused"` // tunnels refused since the start for being too many
}

// Transit returns what this hub passes on between others.
func (l *Link) Transit() Transit {
	t := l.transit
	t.mu.Lock()
	defer t.mu.Unlock()
	return Transit{Tunnels: t.sum, Octets: t.octets.Load(), Refused: t.refused.Load()}
}

// enter counts one more tunnel, unless there are too many.
func (t *transit) enter(ends pair) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sum >= transitAtOnce || t.by[ends.src] >= transitPerHub || t.now[ends] >= transitPerPair {
		t.refused.Add(1)
		return false
	}
	t.sum++
	t.by[ends.src]++
	t.now[ends]++
	return true
}

func (t *transit) leave(ends pair) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum--
	if t.by[ends.src]--; t.by[ends.src] == 0 {
		delete(t.by, ends.src)
	}
	if t.now[ends]--; t.now[ends] == 0 {
		delete(t.now, ends)
	}
}

// open answers a peer that asks for a tunnel to another, f.Dst, and passes on what
// comes until either end closes.
func (t *transit) open(l *Link, from tunnelEnd, f Frame) {
	if t.refuses {
		from.refuse(tunnelRefused)
		return
	}
	var s *session
	if p := l.met(f.Dst); p != nil {
		s = p.direct()
	}
	if s == nil {
		from.refuse(tunnelAway)
		return
	}
	ends := pair{f.Src, f.Dst}
	if !t.enter(ends) {
		from.refuse(tunnelFull)
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, openTimeout)
	defer cancel()
	to, err := s.askTunnel(ctx, f.Src, f.Dst)
	if err != nil {
		t.leave(ends)
		from.refuse(tunnelAway)
		return
	}
	started := l.run(func() {
		defer t.leave(ends)
		t.splice(l.ctx, from, to)
	})
	if !started {
		t.leave(ends)
		from.Close()
		to.Close()
	}
}

// splice passes on between two streams until either ends, and closes both.
func (t *transit) splice(ctx context.Context, from, to tunnelEnd) {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { // whatever waits for either, waits no longer
		from.Close()
		to.Close()
	})
	defer cancel()
	if _, err := from.Write([]byte{tunnelOpen}); err != nil {
		return
	}
	p := pace{t: t, own: rate.NewLimiter(t.each, transitBurst), quiet: rate.NewLimiter(transitQuiet, 2*transitQuiet)}
	var back sync.WaitGroup
	back.Go(func() {
		defer cancel()
		p.pump(ctx, from, to)
	})
	p.pump(ctx, to, from)
	cancel()
	back.Wait()
}

// pace spaces what one tunnel passes on.
type pace struct {
	t          *transit
	own, quiet *rate.Limiter
}

// pump passes on one way until a read or a write fails, or ctx ends.
func (p pace) pump(ctx context.Context, to, from tunnelEnd) {
	piece := make([]byte, transitAtATime)
	for {
		n, err := from.Read(piece)
		if err != nil || p.wait(ctx, n) != nil {
			return
		}
		to.SetWriteDeadline(time.Now().Add(tunnelPatience))
		if _, err := to.Write(piece[:n]); err != nil {
			return
		}
		p.t.octets.Add(int64(n))
	}
}

// wait waits until n octets may pass. A tunnel that says little, a revocation and
// not a page of records, does not wait for those that say much: it is counted with
// them, and they wait longer.
func (p pace) wait(ctx context.Context, n int) error {
	now := time.Now()
	all := p.t.all.ReserveN(now, n)
	if p.quiet.AllowN(now, n) {
		return ctx.Err()
	}
	if err := p.own.WaitN(ctx, n); err != nil {
		return err
	}
	rest := time.NewTimer(all.Delay())
	defer rest.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-rest.C:
		return nil
	}
}
