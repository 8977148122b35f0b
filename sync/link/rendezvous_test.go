package link_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// hidden is a hub that no other can call: the roster has no address for it.
func hidden(t *testing.T, terr *linktest.Territory, o linktest.Options) *end {
	t.Helper()
	e := open(t, terr, linktest.NewHub(t), o)
	terr.Admit(t, e.Hub)
	linktest.Run(t, e.link)
	return e
}

// meets calls hubs until a session stands with each, and they know it.
func meets(t *testing.T, from *end, to ...*end) {
	t.Helper()
	for _, e := range to {
		linktest.Eventually(t, 10*time.Second, "a session", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return from.link.Connect(ctx, e.ID) == nil && (e.link == nil || e.link.Peer(from.ID).Connected)
		})
	}
}

// passes sends until it arrives: packets may be lost while a session is replaced.
func passes(t *testing.T, from, to *end, payload string) {
	t.Helper()
	linktest.Eventually(t, 20*time.Second, payload+" arrives", func() bool {
		from.link.Send(to.ID, link.TypePacket, []byte(payload))
		time.Sleep(20 * time.Millisecond)
		return to.in.has(received{from.ID, link.TypePacket, payload})
	})
}

func TestThroughRendezvous(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{})
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{HTTP: nameTheCaller})
	meets(t, a, r)
	if err := a.link.Connect(t.Context(), b.ID); err == nil {
		t.Fatal("a hub is reached that nobody can reach")
	}
	meets(t, b, r)
	meets(t, a, b)
	if s := a.link.Peer(b.ID); !s.Connected || s.Via != r.ID || s.Octets.Out < 1000 {
		t.Errorf("status through a rendezvous: %+v", s)
	}
	if s := b.link.Peer(a.ID); s.Via != r.ID {
		t.Errorf("status at the other end: %+v", s)
	}
	send(t, a, b, "forth")
	arrives(t, a, b, "forth")
	send(t, b, a, "back")
	arrives(t, b, a, "back")
	if got := echo(t, b, a, "a stream"); got != "a stream" {
		t.Errorf("the stream echoed %q", got)
	}
	if body, err := get(t, a, b); err != nil || body != a.ID.String() {
		t.Errorf("over HTTP the handler saw %q, %v", body, err)
	}
	if s := r.link.Transit(); s.Tunnels != 2 || s.Octets < 1000 || s.Refused != 0 {
		t.Errorf("the rendezvous passes on %+v, want a session and HTTP", s)
	}
	if r.in.count() > 0 {
		t.Error("the rendezvous was handed what it passes on")
	}
	a.link.Close()
	linktest.Eventually(t, 5*time.Second, "the tunnels end with their ends", func() bool {
		return r.link.Transit().Tunnels == 0 && !b.link.Peer(a.ID).Connected
	})
}

// TestCalledBack: a hub that has no address answers HTTP over the session that it
// made, where there is no rendezvous.
func TestCalledBack(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{})
	a := hidden(t, terr, linktest.Options{HTTP: nameTheCaller})
	if _, err := get(t, r, a); err == nil {
		t.Fatal("it answers before it called")
	}
	meets(t, a, r)
	was := r.link.Peer(a.ID).Octets
	if body, err := get(t, r, a); err != nil || body != r.ID.String() {
		t.Errorf("the handler saw %q, %v", body, err)
	}
	if s := r.link.Peer(a.ID); !s.Via.IsZero() || s.Octets.Out-was.Out < 1000 || s.Octets.Out-was.Out > 4000 {
		t.Errorf("%+v after %+v: its octets count once", s, was)
	}
}

func TestSimultaneousTunnels(t *testing.T) {
	terr := linktest.NewTerritory()
	r, r2 := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	meets(t, a, r, r2)
	meets(t, b, r, r2)
	var both sync.WaitGroup
	for range 50 {
		both.Go(func() { send(t, a, b, "x") })
		both.Go(func() { send(t, b, a, "y") })
	}
	both.Wait()
	linktest.Eventually(t, 10*time.Second, "every packet of both", func() bool { return a.in.count() == 50 && b.in.count() == 50 })
}

// TestRendezvousFailover: the hub behind NAT is reached through the rendezvous that
// is left; when both are gone it is called for ever, and found when one is back.
func TestRendezvousFailover(t *testing.T) {
	terr := linktest.NewTerritory()
	r, r2 := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	for _, e := range []*end{a, b} {
		meets(t, e, r, r2)
	}
	passes(t, a, b, "with both")
	first, second := r, r2
	if a.link.Peer(b.ID).Via == r2.ID {
		first, second = r2, r
	}
	first.link.Close()
	passes(t, a, b, "with one")
	if via := a.link.Peer(b.ID).Via; via != second.ID {
		t.Errorf("through %s, want %s", via, second.ID)
	}
	second.link.Close()
	linktest.Eventually(t, 5*time.Second, "both ends see it", func() bool {
		return !a.link.Peer(b.ID).Connected && !b.link.Peer(a.ID).Connected
	})
	if err := a.link.Connect(t.Context(), b.ID); err == nil {
		t.Fatal("reached through nobody")
	}
	back := open(t, terr, first.Hub, linktest.Options{})
	terr.Update(first.ID, func(h *territory.Hub) { h.Addresses = []string{back.link.Addr().String()} })
	linktest.Run(t, back.link)
	meets(t, a, back)
	meets(t, b, back)
	passes(t, a, b, "with one that is back")
}

// TestRendezvousRefuses: who does not want to pass on does not, and is not asked
// again at once.
func TestRendezvousRefuses(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{NoTransit: true})
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	meets(t, a, r)
	meets(t, b, r)
	if err := a.link.Connect(t.Context(), b.ID); err == nil || !strings.Contains(err.Error(), "no rendezvous") {
		t.Errorf("got %v", err)
	}
	willing := start(t, terr, linktest.Options{})
	meets(t, a, willing)
	meets(t, b, willing)
	meets(t, a, b)
	if via := a.link.Peer(b.ID).Via; via != willing.ID {
		t.Errorf("through %s", via)
	}
}

// TestStraight: an address that answers takes over from the rendezvous, and
// nothing is lost meanwhile.
func TestStraight(t *testing.T) {
	terr := linktest.NewTerritory()
	r, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	a := hidden(t, terr, linktest.Options{})
	address := b.link.Addr().String()
	terr.Update(b.ID, func(h *territory.Hub) { h.Addresses = []string{"127.0.0.1:1"} })
	meets(t, a, r)
	meets(t, b, r)
	meets(t, a, b)
	if a.link.Peer(b.ID).Via != r.ID {
		t.Fatal("reached without the rendezvous, at a port where nobody is")
	}
	terr.Update(b.ID, func(h *territory.Hub) { h.Addresses = []string{address} })
	a.link.Straighten()
	linktest.Eventually(t, 5*time.Second, "both ends speak directly", func() bool {
		return a.link.Peer(b.ID).Via.IsZero() && b.link.Peer(a.ID).Via.IsZero()
	})
	send(t, a, b, "straight")
	arrives(t, a, b, "straight")
	if len(b.in.downs) > 0 {
		t.Error("the peer was said to be lost while one way replaced the other")
	}
}

// TestStraightPreferred: a tunnel that comes after a direct session does not take
// its place.
func TestStraightPreferred(t *testing.T) {
	terr := linktest.NewTerritory()
	r, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	caller := linktest.NewHub(t)
	terr.Admit(t, caller)
	meets(t, b, r)
	rude(t, terr, caller, b)
	linktest.Eventually(t, 5*time.Second, "a direct session", func() bool { return b.link.Peer(caller.ID).Connected })
	stream := rude(t, terr, caller, r)
	if got := askTunnel(t, stream, caller.ID, b.ID); got != 1 {
		t.Fatalf("answered by %d", got)
	}
	mux, err := sessionIn(terr, caller, b, stream)
	if err != nil {
		t.Fatal(err)
	}
	defer mux.Close()
	if _, err := mux.Ping(); err != nil {
		t.Fatal(err)
	}
	linktest.Eventually(t, 5*time.Second, "two sessions", func() bool { return b.in.upCount() == 3 })
	if via := b.link.Peer(caller.ID).Via; !via.IsZero() {
		t.Errorf("it is called through %s", via)
	}
}

// TestRendezvousOrder: every hub looks for another where that one is.
func TestRendezvousOrder(t *testing.T) {
	terr := linktest.NewTerritory()
	hubs := make([]*end, 6)
	for i := range hubs {
		hubs[i] = start(t, terr, linktest.Options{})
	}
	a := open(t, terr, linktest.NewHub(t), linktest.Options{})
	terr.Admit(t, a.Hub)
	kept := a.link.Rendezvous()
	if order := a.link.RendezvousOf(a.ID); len(kept) != 2 || len(order) != len(hubs) || !slices.Equal(order[:2], kept) {
		t.Fatalf("calls %v, order %v", kept, order)
	}
	for _, h := range hubs {
		order := slices.DeleteFunc(slices.Clone(a.link.RendezvousOf(a.ID)), func(id territory.HubID) bool { return id == h.ID })
		if got := h.link.RendezvousOf(a.ID); !slices.Equal(got, order) {
			t.Errorf("%s looks for it at %v, not %v", h.ID, got, order)
		}
	}
	linktest.Run(t, a.link)
	last := a.link.RendezvousOf(a.ID)[5]
	meets(t, a, hubs[slices.IndexFunc(hubs, func(e *end) bool { return e.ID == last })])
	if got := a.link.Rendezvous(); !slices.Equal(got, kept) {
		t.Errorf("calls %v though only the last stands", got)
	}
	for _, h := range hubs {
		if h.ID == kept[0] {
			h.link.Close()
			if err := a.link.Connect(t.Context(), h.ID); err == nil {
				t.Fatal("a closed hub answers")
			}
		}
	}
	if got := a.link.Rendezvous(); len(got) != 2 || slices.Contains(got, kept[0]) {
		t.Errorf("calls %v while %s rests", got, kept[0])
	}

	named := open(t, terr, a.Hub, linktest.Options{Rendezvous: []string{last.String(), "hub 1", "nobody"}})
	second, _ := terr.Roster().Hub(hubs[1].ID)
	if second.Name != "hub 1" {
		t.Fatal(second.Name)
	}
	want := slices.Compact([]territory.HubID{last, hubs[1].ID})
	if got := named.link.RendezvousOf(a.ID); !slices.Equal(got[:len(want)], want) || len(got) != len(hubs) {
		t.Errorf("the named ones do not come first: %v", got)
	}
}

// TestExpelledAndTunnels: who is expelled asks in vain, is not reached, and loses
// the tunnels that stand. The rendezvous need not know: the other end does.
func TestExpelledAndTunnels(t *testing.T) {
	terr, stale := linktest.NewTerritory(), linktest.NewTerritory()
	r := open(t, stale, linktest.NewHub(t), linktest.Options{})
	a, b := open(t, terr, linktest.NewHub(t), linktest.Options{}), open(t, stale, linktest.NewHub(t), linktest.Options{})
	for _, known := range []*linktest.Territory{terr, stale} {
		known.Admit(t, r.Hub, r.link.Addr().String())
		known.Admit(t, a.Hub)
		known.Admit(t, b.Hub)
	}
	for _, e := range []*end{r, a, b} {
		linktest.Run(t, e.link)
	}
	meets(t, a, r)
	meets(t, b, r)
	meets(t, b, a)
	passes(t, b, a, "while a member")

	terr.Update(b.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	linktest.Eventually(t, 5*time.Second, "the tunnel is closed", func() bool {
		return !b.link.Peer(a.ID).Connected && r.link.Transit().Tunnels == 0
	})
	if err := b.link.Connect(t.Context(), a.ID); err == nil {
		t.Error("an expelled hub reaches a member through a rendezvous that does not know")
	}
	if err := a.link.Connect(t.Context(), b.ID); !errors.Is(err, link.ErrUnknownPeer) {
		t.Errorf("calling an expelled hub: %v", err)
	}
	stale.Update(b.ID, func(h *territory.Hub) { h.State = territory.HubExpelled })
	linktest.Eventually(t, 5*time.Second, "the rendezvous lets go of it", func() bool { return !r.link.Peer(b.ID).Connected })
	b.link.Send(a.ID, link.TypePacket, []byte("once expelled"))
	time.Sleep(50 * time.Millisecond)
	if a.in.has(received{b.ID, link.TypePacket, "once expelled"}) {
		t.Error("a packet of an expelled hub arrived")
	}
}

// TestTransitDelays: above the rate everything waits, and nothing is lost.
func TestTransitDelays(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{})
	const rate, size = 128 << 10, 160 << 10
	r.link.SlowTransit(rate)
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	meets(t, a, r)
	meets(t, b, r)
	meets(t, a, b)
	began := time.Now()
	text := strings.Repeat("0123456789abcdef", size/16)
	if got := bulk(t.Context(), a, b, text); got != text {
		t.Errorf("%d octets came back of %d", len(got), len(text))
	}
	least := time.Duration(2*size-64<<10) * time.Second / rate // there and back, but for what may be ahead
	if took := time.Since(began); took < least {
		t.Errorf("%d octets there and back in %v at %d a second", size, took, rate)
	}
}

// TestTransitQuiet: what is small does not wait for what is long.
func TestTransitQuiet(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{})
	r.link.SlowTransit(2 << 10)
	a, b, c := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	for _, e := range []*end{a, b, c} {
		meets(t, e, r)
	}
	meets(t, a, b, c)
	done := make(chan string, 1)
	go func() { done <- bulk(t.Context(), a, b, strings.Repeat("long", 64<<10)) }()
	was := r.link.Transit().Octets
	linktest.Eventually(t, 5*time.Second, "the long one waits", func() bool { return r.link.Transit().Octets > was+60<<10 })
	began := time.Now()
	send(t, a, c, "small")
	arrives(t, a, c, "small")
	if took := time.Since(began); took > time.Second { // two pieces that wait take 4 s
		t.Errorf("a small packet waited %v behind a long one", took)
	}
	r.link.Close()
	<-done
}

// bulk echoes a long text and returns what came back.
func bulk(ctx context.Context, from, to *end, text string) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := from.link.Dial(ctx, to.ID)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	go io.WriteString(conn, text)
	back := make([]byte, len(text))
	n, _ := io.ReadFull(conn, back)
	return string(back[:n])
}
