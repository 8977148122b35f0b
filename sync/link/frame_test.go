package link_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/yamux"

	"relais/node/record"
	"relais/node/territory"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

func TestFrameVector(t *testing.T) {
	f := link.Frame{Type: link.TypeRecord, Dst: territory.HubID{1, 2}, Src: territory.HubID{15: 9}, Payload: []byte("abc")}
	const want = "01030000" + "00000003" +
		"01020000000000000000000000000000" + "00000000000000000000000000000009" + "616263"
	if got := hex.EncodeToString(link.AppendFrame(nil, f)); got != want {
		t.Errorf("the frame is\n%s, want\n%s", got, want)
	}
}

func TestReadFrame(t *testing.T) {
	good := link.AppendFrame(nil, link.Frame{Type: link.TypePacket, Payload: []byte("abc")})
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"ErrFrameVersion", change(0, 2), link.ErrFrameVersion},
		{"reserved", change(2, 1), link.ErrFrameVersion},
		{"ErrFrameTooLarge", change(4, 1), link.ErrFrameTooLarge},
		{"cut", good[:len(good)-1], io.ErrUnexpectedEOF},
		{"cut header", good[:10], io.ErrUnexpectedEOF},
		{"end", nil, io.EOF},
		{"good", good, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := link.ReadFrame(bytes.NewReader(c.in)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(link.AppendFrame(nil, link.Frame{Type: link.TypeStream}))
	f.Add(link.AppendFrame(nil, link.Frame{Type: 200, Dst: territory.HubID{1}, Payload: []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := link.ReadFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		again := link.AppendFrame(nil, frame)
		if !bytes.Equal(again, b[:len(again)]) {
			t.Fatalf("read %x, wrote %x", b, again)
		}
		back, err := link.ReadFrame(bytes.NewReader(again))
		if err != nil || !cmp.Equal(frame, back) {
			t.Fatalf("%v, %s", err, cmp.Diff(frame, back))
		}
	})
}

// rude opens a session as a member of the roster would and returns a stream on
// which a test writes what no honest hub does.
func rude(t *testing.T, terr *linktest.Territory, caller linktest.Hub, to *end) *yamux.Stream {
	t.Helper()
	credentials, err := link.NewCredentials(caller.ID, caller.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", to.link.Addr().String(), credentials.ClientTLS(terr.Roster, to.ID, link.ALPNSession))
	if err != nil {
		t.Fatal(err)
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	mux, err := yamux.Client(conn, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mux.Close() })
	stream, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func TestRudeFrames(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame func(caller, callee territory.HubID) []byte
		log   string
	}{
		{"ErrFrameTooLarge", func(caller, callee territory.HubID) []byte {
			b := link.AppendFrame(nil, link.Frame{Type: link.TypePacket, Dst: callee, Src: caller})
			b[4] = 0xff
			return b
		}, "oversized frame"},
		{"ErrFrameRoute", func(caller, callee territory.HubID) []byte {
			return link.AppendFrame(nil, link.Frame{Type: link.TypePacket, Dst: callee, Src: territory.HubID{1}})
		}, "another hub's name"},
		{"ErrFrameVersion", func(caller, callee territory.HubID) []byte {
			return bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 10)
		}, "frame version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			terr := linktest.NewTerritory()
			var log lockedBuffer
			b := start(t, terr, linktest.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			caller := linktest.NewHub(t)
			terr.Admit(t, caller, "127.0.0.1:1")
			stream := rude(t, terr, caller, b)
			stream.Write(c.frame(caller.ID, b.ID)) // may end early: the callee hangs up
			linktest.Eventually(t, 5*time.Second, "the connection is closed", stream.Session().IsClosed)
			linktest.Eventually(t, time.Second, "the log says why", func() bool { return strings.Contains(log.String(), c.log) })
			if b.in.count() > 0 {
				t.Error("the frame was handed on")
			}
		})
	}
}

func TestUnknownTypeIsHandedOn(t *testing.T) {
	terr := linktest.NewTerritory()
	a, b := start(t, terr, linktest.Options{}), start(t, terr, linktest.Options{})
	a.link.Send(b.ID, 200, []byte("from a later version"))
	linktest.Eventually(t, 5*time.Second, "the frame", func() bool {
		return b.in.has(received{a.ID, 200, "from a later version"})
	})
	if err := a.link.Connect(context.Background(), b.ID); err != nil {
		t.Error(err)
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestVectorFits: the longest vector and the octet of flags before it are one
// frame, for what a hub knows may not depend on how many logs there are.
func TestVectorFits(t *testing.T) {
	v := record.Vector{Entries: make([]record.VectorEntry, 2*record.MaxVectorEntries)}
	for i := range v.Entries {
		v.Entries[i].Index = uint16(i)
	}
	v.Trim()
	wire, err := v.MarshalBinary()
	if err != nil || len(wire) != record.MaxVectorOctets {
		t.Fatalf("%d octets (%v)", len(wire), err)
	}
	frame := link.AppendFrame(nil, link.Frame{Type: link.TypeVector, Payload: append([]byte{1}, wire...)})
	if _, err := link.ReadFrame(bytes.NewReader(frame)); err != nil {
		t.Error(err)
	}
}
