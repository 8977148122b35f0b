package link_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/yamux"

	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

// sly is a rendezvous made by hand, a member of the roster that keeps all it sees
// and may alter what it passes on.
type sly struct {
	linktest.Hub
	t      *testing.T
	answer byte                           // to who asks for a tunnel; 0: the other hub's
	alter  func(passed int, piece []byte) // called with each piece

	mu       sync.Mutex // guards what follows
	sessions map[territory.HubID]*yamux.Session
	seen     bytes.Buffer
	asked    int
}

// newSly runs one and puts it on the roster.
func newSly(t *testing.T, terr *linktest.Territory) *sly {
	t.Helper()
	s := &sly{Hub: linktest.NewHub(t), t: t, alter: func(int, []byte) {}, sessions: make(map[territory.HubID]*yamux.Session)}
	credentials, err := link.NewCredentials(s.ID, s.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", credentials.ServerTLS(terr.Roster, link.ALPNSession))
	if err != nil {
		t.Fatal(err)
	}
	terr.Admit(t, s.Hub, listener.Addr().String())
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() { s.serve(conn.(*tls.Conn)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		s.hangUp()
		work.Wait()
	})
	return s
}

func (s *sly) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, mux := range s.sessions {
		mux.Close()
	}
}

func (s *sly) serve(conn *tls.Conn) {
	defer conn.Close()
	if conn.Handshake() != nil {
		return
	}
	var peer territory.HubID
	if err := peer.UnmarshalText([]byte(conn.ConnectionState().PeerCertificates[0].URIs[0].Opaque)); err != nil {
		return
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	mux, err := yamux.Server(conn, config)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.sessions[peer] = mux
	s.mu.Unlock()
	var work sync.WaitGroup
	defer work.Wait()
	for {
		stream, err := mux.AcceptStream()
		if err != nil {
			return
		}
		work.Go(func() { s.stream(stream) })
	}
}

func (s *sly) stream(stream net.Conn) {
	defer stream.Close()
	f, err := link.ReadFrame(stream)
	if err != nil {
		return
	}
	if f.Type != link.TypeTunnel { // for the sly one itself
		s.keep(f.Payload)
		io.Copy(writerFunc(s.keep), stream)
		return
	}
	s.mu.Lock()
	s.asked++
	to, answer := s.sessions[f.Dst], s.answer
	s.mu.Unlock()
	if to == nil || answer != 0 {
		stream.Write([]byte{answer})
		return
	}
	onward, err := to.OpenStream()
	if err != nil {
		return
	}
	defer onward.Close()
	onward.Write(link.AppendFrame(nil, f))
	var back sync.WaitGroup
	back.Go(func() {
		s.pump(stream, onward)
		stream.Close()
	})
	s.pump(onward, stream)
	onward.Close()
	back.Wait()
}

func (s *sly) pump(to io.Writer, from io.Reader) {
	piece := make([]byte, 4<<10)
	for passed := 0; ; {
		n, err := from.Read(piece)
		s.keep(piece[:n])
		s.alter(passed, piece[:n])
		passed += n
		if _, writing := to.Write(piece[:n]); err != nil || writing != nil {
			return
		}
	}
}

func (s *sly) keep(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Write(b)
}

func (s *sly) saw(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.seen.Bytes(), []byte(text))
}

func (s *sly) wasAsked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// stands waits for a session of the hub with the sly one.
func (s *sly) stands(t *testing.T, with *end) {
	t.Helper()
	meets(t, with, &end{Hub: s.Hub})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestRendezvousReadsNothing: packets, streams and HTTP pass, and none of their
// words shows to who passes them on. The twin is a word meant for the rendezvous.
func TestRendezvousReadsNothing(t *testing.T) {
	terr := linktest.NewTerritory()
	s := newSly(t, terr)
	a, b := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{HTTP: nameTheCaller})
	s.stands(t, a)
	s.stands(t, b)
	meets(t, a, b)
	words := []string{"word in a packet", "word in a stream"}
	send(t, a, b, words[0])
	arrives(t, a, b, words[0])
	if got := echo(t, b, a, words[1]); got != words[1] {
		t.Fatalf("the stream echoed %q", got)
	}
	body, err := get(t, b, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range append(words, body) {
		if word != "" && s.saw(word) {
			t.Errorf("the rendezvous read %q", word)
		}
	}
	if s.seen.Len() < 4000 {
		t.Errorf("the rendezvous saw %d octets: what passed did not pass through it", s.seen.Len())
	}
	const twin = "word for the rendezvous"
	if err := a.link.Send(s.ID, link.TypePacket, []byte(twin)); err != nil {
		t.Fatal(err)
	}
	linktest.Eventually(t, 5*time.Second, "what is meant for the rendezvous shows there", func() bool { return s.saw(twin) })
}

// TestRendezvousAlters: one octet that is changed on its way ends the tunnel, no
// changed word arrives, and what is said goes through another.
func TestRendezvousAlters(t *testing.T) {
	terr := linktest.NewTerritory()
	s := newSly(t, terr)
	var altered sync.Once
	at := make(chan struct{})
	changing := make(chan bool, 1)
	s.alter = func(_ int, piece []byte) {
		select {
		case <-changing:
			altered.Do(func() { close(at) })
			piece[len(piece)-1] ^= 1
		default:
		}
	}
	var log lockedBuffer
	a := hidden(t, terr, linktest.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	b := hidden(t, terr, linktest.Options{})
	s.stands(t, a)
	s.stands(t, b)
	meets(t, a, b)
	passes(t, a, b, "before")
	honest := start(t, terr, linktest.Options{})
	meets(t, a, honest)
	meets(t, b, honest)

	changing <- true
	send(t, a, b, "altered")
	<-at
	linktest.Eventually(t, 5*time.Second, "the tunnel is gone, and it is said", func() bool {
		return a.link.Peer(b.ID).Via != s.ID && strings.Contains(log.String(), "altered on its way")
	})
	linktest.Eventually(t, 5*time.Second, "who altered is left in peace", func() bool { return a.link.PassingFails(s.ID) == 1 })
	passes(t, a, b, "after")
	for _, f := range b.in.frames {
		if f.payload != "before" && f.payload != "after" && f.payload != "altered" {
			t.Errorf("%q arrived", f.payload)
		}
	}
}

// TestRendezvousAnswers: what is no answer opens nothing, and another is asked.
func TestRendezvousAnswers(t *testing.T) {
	for name, answer := range map[string]byte{"nonsense": 9, "full": 3, "refused": 4} {
		t.Run(name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			s := newSly(t, terr)
			s.answer = answer
			a, b := hidden(t, terr, linktest.Options{Rendezvous: []string{s.ID.String()}}), hidden(t, terr, linktest.Options{})
			s.stands(t, a)
			s.stands(t, b)
			honest := start(t, terr, linktest.Options{})
			meets(t, a, honest)
			meets(t, b, honest)
			meets(t, a, b)
			if via := a.link.Peer(b.ID).Via; via != honest.ID || s.wasAsked() != 1 {
				t.Errorf("through %s, and the other was asked %d times", via, s.wasAsked())
			}
			if a.link.PassingFails(s.ID) != 1 {
				t.Error("it is not left in peace")
			}
		})
	}
}

// TestTunnelOfAnother: the hub that is called takes nobody for another: the
// rendezvous cannot announce one hub and connect a second.
func TestTunnelOfAnother(t *testing.T) {
	terr := linktest.NewTerritory()
	b := start(t, terr, linktest.Options{})
	caller, announced := linktest.NewHub(t), linktest.NewHub(t)
	terr.Admit(t, caller)
	terr.Admit(t, announced)
	for name, src := range map[string]linktest.Hub{"ErrWrongPeer": announced, "twin": caller} {
		t.Run(name, func(t *testing.T) {
			rendezvous := linktest.NewHub(t)
			terr.Admit(t, rendezvous)
			stream := rude(t, terr, rendezvous, b)
			if got := askTunnel(t, stream, src.ID, b.ID); got != 1 {
				t.Fatalf("the call is answered by %d", got)
			}
			err := speak(terr, caller, b, stream)
			if refused := err != nil; refused != (name == "ErrWrongPeer") {
				t.Errorf("%v", err)
			}
		})
	}
}

// askTunnel writes the frame and returns the octet that answers, 0 for none.
func askTunnel(t *testing.T, stream net.Conn, src, dst territory.HubID) byte {
	t.Helper()
	stream.SetDeadline(time.Now().Add(5 * time.Second))
	stream.Write(link.AppendFrame(nil, link.Frame{Type: link.TypeTunnel, Dst: dst, Src: src}))
	var answer [1]byte
	io.ReadFull(stream, answer[:])
	return answer[0]
}

// speak begins a session in a tunnel as the caller, and waits for one answer.
func speak(terr *linktest.Territory, caller linktest.Hub, to *end, stream net.Conn) error {
	mux, err := sessionIn(terr, caller, to, stream)
	if err != nil {
		return err
	}
	defer mux.Close()
	_, err = mux.Ping()
	return err
}

func sessionIn(terr *linktest.Territory, caller linktest.Hub, to *end, stream net.Conn) (*yamux.Session, error) {
	credentials, err := link.NewCredentials(caller.ID, caller.Identity, nil)
	if err != nil {
		return nil, err
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	return yamux.Client(tls.Client(stream, credentials.ClientTLS(terr.Roster, to.ID, link.ALPNSession)), config)
}

// TestTunnelHops: a tunnel has one hop. What asks for a second is refused, or is
// no frame of an honest hub.
func TestTunnelHops(t *testing.T) {
	terr := linktest.NewTerritory()
	r, r2 := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	b, c := hidden(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
	caller := linktest.NewHub(t)
	terr.Admit(t, caller)
	meets(t, b, r)
	meets(t, r, r2)
	meets(t, c, r2)
	t.Run("first", func(t *testing.T) { // the twin: one hop is open
		stream := rude(t, terr, caller, r2)
		if got := askTunnel(t, stream, caller.ID, c.ID); got != 1 {
			t.Errorf("answered by %d", got)
		}
	})
	t.Run("second", func(t *testing.T) {
		stream := rude(t, terr, caller, r)
		if got := askTunnel(t, stream, caller.ID, r2.ID); got != 1 {
			t.Fatalf("answered by %d", got)
		}
		mux, err := sessionIn(terr, caller, r2, stream)
		if err != nil {
			t.Fatal(err)
		}
		defer mux.Close()
		inner, err := mux.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		if got := askTunnel(t, inner, caller.ID, c.ID); got != 4 {
			t.Errorf("answered by %d", got)
		}
	})
	t.Run("passed on again", func(t *testing.T) {
		stream := rude(t, terr, caller, r2)
		if got := askTunnel(t, stream, b.ID, c.ID); got != 0 {
			t.Errorf("answered by %d", got)
		}
		linktest.Eventually(t, 5*time.Second, "the session is closed", stream.Session().IsClosed)
	})
	t.Run("nowhere", func(t *testing.T) {
		stream := rude(t, terr, caller, r2)
		if got := askTunnel(t, stream, caller.ID, linktest.NewHub(t).ID); got != 2 {
			t.Errorf("answered by %d", got)
		}
	})
}

// TestTunnelOfTheExpelled: nothing is opened in the second that a session may
// outlive its hub's place in the roster.
func TestTunnelOfTheExpelled(t *testing.T) {
	for name, c := range map[string]struct{ asker, asked territory.HubState }{
		"asker": {territory.HubExpelled, territory.HubActive},
		"asked": {territory.HubActive, territory.HubExpelled},
		"twin":  {territory.HubActive, territory.HubActive},
	} {
		t.Run(name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			r, b := start(t, terr, linktest.Options{}), hidden(t, terr, linktest.Options{})
			caller := linktest.NewHub(t)
			terr.Admit(t, caller)
			meets(t, b, r)
			stream := rude(t, terr, caller, r)
			linktest.Eventually(t, 5*time.Second, "a session", func() bool { return r.link.Peer(caller.ID).Connected })
			terr.Change(func(roster *territory.Roster) {
				for i := range roster.Hubs {
					switch h := &roster.Hubs[i]; h.ID {
					case caller.ID:
						h.State = c.asker
					case b.ID:
						h.State = c.asked
					}
				}
			})
			if got := askTunnel(t, stream, caller.ID, b.ID); (got == 1) != (name == "twin") {
				t.Errorf("answered by %d", got)
			}
		})
	}
}

// TestTunnelsAreBounded: one hub takes neither all that another answers nor all
// that a rendezvous has, and the others are served.
func TestTunnelsAreBounded(t *testing.T) {
	terr := linktest.NewTerritory()
	r := start(t, terr, linktest.Options{})
	greedy, other := linktest.NewHub(t), hidden(t, terr, linktest.Options{})
	terr.Admit(t, greedy)
	meets(t, other, r)
	mux := rude(t, terr, greedy, r).Session()
	for i := range 9 { // eight tunnels to each of eight hubs
		b := hidden(t, terr, linktest.Options{})
		meets(t, b, r)
		for j := range 9 {
			stream, err := mux.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			want := byte(1)
			if i == 8 || j == 8 {
				want = 3
			}
			if got := askTunnel(t, stream, greedy.ID, b.ID); got != want {
				t.Fatalf("tunnel %d to hub %d is answered by %d", j+1, i+1, got)
			}
		}
		meets(t, other, b)
	}
	if s := r.link.Transit(); s.Refused != 8+9 {
		t.Errorf("%+v", s)
	}
}

// FuzzTunnelRequest: whatever a frame says, a hub passes on only what a peer asks
// for in its own name, takes only calls to itself, and never does both.
func FuzzTunnelRequest(f *testing.F) {
	one, two, three := territory.HubID{1}, territory.HubID{2}, territory.HubID{3}
	for _, frame := range []link.Frame{
		{Type: link.TypeTunnel, Src: two, Dst: three},
		{Type: link.TypeTunnel, Src: three, Dst: one},
		{Type: link.TypeTunnel, Src: two, Dst: one},
		{Type: link.TypeTunnel, Src: three, Dst: two},
		{Type: link.TypeTunnel, Src: two, Dst: two},
		{Type: link.TypeTunnel, Src: two, Dst: three, Payload: []byte("x")},
	} {
		f.Add(link.AppendFrame(nil, frame), one[:], two[:])
	}
	f.Fuzz(func(t *testing.T, wire, self, peer []byte) {
		frame, err := link.ReadFrame(bytes.NewReader(wire))
		if err != nil {
			return
		}
		var me, from territory.HubID
		copy(me[:], self)
		copy(from[:], peer)
		what, err := link.PassageOf(frame, me, from)
		switch {
		case err != nil && what != "":
			t.Fatalf("%q and %v", what, err)
		case what == "pass on" && (frame.Src != from || frame.Dst == me || frame.Dst == from):
			t.Fatalf("passes on from %s to %s for %s at %s", frame.Src, frame.Dst, from, me)
		case what == "take call" && (frame.Dst != me || frame.Src == me):
			t.Fatalf("takes a call from %s to %s for %s at %s", frame.Src, frame.Dst, from, me)
		case what != "" && len(frame.Payload) > 0:
			t.Fatalf("%q with a payload", what)
		case err == nil && what == "":
			t.Fatal("neither refused nor understood")
		}
	})
}
