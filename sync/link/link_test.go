package link_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
	"relais/sync/link/relay"
)

// inbox is a receiver that keeps what came.
type inbox struct {
	mu     sync.Mutex
	frames []received
	ups    []territory.HubID
	downs  []territory.HubID
}

type received struct {
	from    territory.HubID
	kind    link.Type
	payload string
}

func (i *inbox) Frame(from territory.HubID, kind link.Type, payload []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.frames = append(i.frames, received{from, kind, string(payload)})
}

// Stream echoes.
func (i *inbox) Stream(_ territory.HubID, conn net.Conn) {
	go func() {
		io.Copy(conn, conn)
		conn.Close()
	}()
}

func (i *inbox) Up(peer territory.HubID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ups = append(i.ups, peer)
}

func (i *inbox) Down(peer territory.HubID, _ time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.downs = append(i.downs, peer)
}

func (i *inbox) has(want received) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Contains(i.frames, want)
}

func (i *inbox) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.frames)
}

func (i *inbox) upCount() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.ups)
}

// end is a running hub.
type end struct {
	linktest.Hub
	link *link.Link
	in   *inbox
}

// start makes a hub, admits it at its own address and runs it.
func start(t *testing.T, terr *linktest.Territory, o linktest.Options) *end {
	t.Helper()
	e := open(t, terr, linktest.NewHub(t), o)
	terr.Admit(t, e.Hub, e.link.Addr().String())
	linktest.Run(t, e.link)
	return e
}

// open makes a hub's link and receiver and does no more.
func open(t *testing.T, terr *linktest.Territory, h linktest.Hub, o linktest.Options) *end {
	t.Helper()
	e := &end{Hub: h, link: terr.Open(t, h, o), in: &inbox{}}
	e.link.Receive(e.in)
	return e
}

func send(t *testing.T, from, to *end, payload string) {
	t.Helper()
	if err := from.link.Send(to.ID, link.TypePacket, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func arrives(t *testing.T, from, to *end, payload string) {
	t.Helper()
	linktest.Eventually(t, 10*time.Second, payload+" arrives", func() bool {
		return to.in.has(received{from.ID, link.TypePacket, payload})
	})
}

func TestPacketsAndStreams(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	send(t, a, b, "forth")
	arrives(t, a, b, "forth")
	send(t, b, a, "back")
	arrives(t, b, a, "back")
	if got := echo(t, a, b, "a stream"); got != "a stream" {
		t.Errorf("the stream echoed %q", got)
	}
	s := a.link.Peer(b.ID)
	if !s.Connected || s.Octets.In < 1000 || s.Octets.Out < 1000 || s.OutOfDate {
		t.Errorf("status after a handshake: %+v", s)
	}
	if err := a.link.Send(a.ID, link.TypePacket, nil); err == nil {
		t.Error("a hub sends to itself")
	}
	if err := a.link.Send(b.ID, link.TypePacket, make([]byte, link.MaxPayload+1)); err == nil {
		t.Error("an oversized packet is queued")
	}
}

// echo sends one text over a stream and returns what comes back.
func echo(t *testing.T, from, to *end, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := from.link.Dial(ctx, to.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, text)
	back := make([]byte, len(text))
	if _, err := io.ReadFull(conn, back); err != nil {
		t.Fatal(err)
	}
	return string(back)
}

func TestSimultaneousDial(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	var both sync.WaitGroup
	for range 50 {
		both.Go(func() { send(t, a, b, "x") })
		both.Go(func() { send(t, b, a, "y") })
	}
	both.Wait()
	linktest.Eventually(t, 10*time.Second, "every packet of both", func() bool {
		return a.in.count() == 50 && b.in.count() == 50
	})
}

func TestCutAndRestore(t *testing.T) {
	terr := linktest.NewTerritory()
	line := relay.New()
	t.Cleanup(func() { line.Close() })
	proxy, err := line.Proxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bus := open(t, terr, linktest.NewHub(t), linktest.Options{Proxy: &url.URL{Scheme: "http", Host: proxy}})
	front, err := line.Forward("127.0.0.1:0", bus.link.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	terr.Admit(t, bus.Hub, front)
	linktest.Run(t, bus.link)
	desk := start(t, terr, linktest.Options{})

	send(t, bus, desk, "out by the proxy")
	arrives(t, bus, desk, "out by the proxy")
	line.Cut()
	linktest.Eventually(t, 5*time.Second, "both see the cut", func() bool {
		return !bus.link.Peer(desk.ID).Connected && !desk.link.Peer(bus.ID).Connected
	})
	send(t, bus, desk, "while cut")
	send(t, desk, bus, "while cut")
	time.Sleep(50 * time.Millisecond)
	if desk.in.has(received{bus.ID, link.TypePacket, "while cut"}) || bus.in.has(received{desk.ID, link.TypePacket, "while cut"}) {
		t.Fatal("the relay lets traffic through when cut")
	}
	line.Restore()
	linktest.Eventually(t, 10*time.Second, "the bus is back", func() bool {
		return desk.link.Connect(t.Context(), bus.ID) == nil
	})
	send(t, desk, bus, "in by the forwarder")
	arrives(t, desk, bus, "in by the forwarder")
}

func TestSlowPeerDoesNotHoldUpOthers(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	// A hole takes connections and never answers, as a sleeping machine behind a
	// firewall does.
	hole, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	asleep := linktest.NewHub(t)
	terr.Admit(t, asleep, hole.Addr().String())
	for range 2000 {
		a.link.Send(asleep.ID, link.TypePacket, []byte("wake up"))
	}
	began := time.Now()
	send(t, a, b, "meanwhile")
	arrives(t, a, b, "meanwhile")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a packet waited %v behind a sleeper", took)
	}
	if dropped := a.link.Peer(asleep.ID).Dropped; dropped < 1000 {
		t.Errorf("%d packets dropped for the sleeper; its queue must be bounded", dropped)
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("traffic", func(t *testing.T) {
		terr := linktest.NewTerritory()
		a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
		send(t, a, b, "something")
		arrives(t, a, b, "something")
		echo(t, b, a, "and a stream")
		get(t, a, b)
	})
	linktest.Eventually(t, 5*time.Second, "every goroutine ends", func() bool {
		return runtime.NumGoroutine() <= before
	})
}

func TestBadProxy(t *testing.T) {
	for _, bad := range []string{"https://127.0.0.1:3128", "http://127.0.0.1", "socks5://127.0.0.1:1080"} {
		u, err := url.Parse(bad)
		if err != nil {
			t.Fatal(err)
		}
		h := linktest.NewHub(t)
		_, err = link.New(link.Options{Self: h.ID, Identity: h.Identity, Roster: linktest.NewTerritory().Roster, Listen: "127.0.0.1:0", Proxy: u})
		if err == nil || !strings.Contains(err.Error(), "http://host:port") {
			t.Errorf("proxy %s: %v", bad, err)
		}
	}
}
