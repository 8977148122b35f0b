package node_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"relais/node"
	"relais/node/fault"
	"relais/node/id"
	"relais/node/record"
	"relais/node/territory"
)

// sizeOf reads the number of entries that a checkpoint signs.
func sizeOf(t testing.TB, checkpoint []byte) int64 {
	t.Helper()
	lines := strings.SplitN(string(checkpoint), "\n", 3)
	n, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// moody is an identity key that fails or hangs at will.
type moody struct {
	crypto.Signer
	failures atomic.Int64 // left before it works
	hang     chan struct{}
	asked    atomic.Int64
}

func (m *moody) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	m.asked.Add(1)
	if m.failures.Add(-1) >= 0 {
		return nil, errors.New("the key does not answer")
	}
	if m.hang != nil {
		<-m.hang
	}
	return m.Signer.Sign(r, digest, o)
}

// moodyHub is a hub whose identity key is moody, and what it published.
func moodyHub(t *testing.T) (*land, *hub, *moody, chan []byte) {
	t.Helper()
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	l.enrol(t)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	key := &moody{Signer: h.Options.Signer}
	h.Options.Signer = key
	h.open(t)
	published := make(chan []byte, 1000)
	h.OnRecord(func(wire []byte, from territory.HubID) {
		if !from.IsZero() {
			t.Error("a record made here is said to come from elsewhere")
		}
		published <- bytes.Clone(wire)
	})
	return l, h, key, published
}

// run runs the hub until the test ends, or stop is called.
func run(t *testing.T, h *hub) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("run ended with %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("Run did not end with its context")
		}
	}
}

func next(t *testing.T, published chan []byte) *record.Envelope {
	t.Helper()
	select {
	case wire := <-published:
		e, err := record.Parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was published")
		return nil
	}
}

func TestSignedInLogOrder(t *testing.T) {
	l, h, _, published := moodyHub(t)
	stop := run(t, h)
	defer stop()
	for range 150 {
		author(t, h, l.notice(record.NewStopCode()))
	}
	var last record.Hash
	for seq := range uint32(150) {
		e := next(t, published)
		if e.Seq != seq+1 || seq > 0 && !e.Follows(last) {
			t.Fatalf("seq %d after %d", e.Seq, seq)
		}
		last = e.Hash
	}
}

// TestFailingSigner: the room goes on, nothing is lost, and what waits is signed
// once the key answers.
func TestFailingSigner(t *testing.T) {
	t.Parallel()
	l, h, key, published := moodyHub(t)
	key.failures.Store(2)
	stop := run(t, h)
	defer stop()
	n := l.notice(record.NewStopCode())
	author(t, h, n)
	if s := standing(t, h, n.Mandate); s.Notices != 1 {
		t.Errorf("not effective here: %+v", s)
	}
	if e := next(t, published); e.Seq != 1 {
		t.Errorf("seq %d", e.Seq)
	}
	if asked := key.asked.Load(); asked != 3 {
		t.Errorf("the key was asked %d times", asked)
	}
}

// TestHangingSigner: nobody waits for it, not even the end; the next start signs.
func TestHangingSigner(t *testing.T) {
	l, h, key, published := moodyHub(t)
	key.hang = make(chan struct{})
	t.Cleanup(func() { close(key.hang) })
	stop := run(t, h)
	n := l.notice(record.NewStopCode())
	author(t, h, n)
	for key.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	author(t, h, l.stop(n.Mandate, 0)) // the room goes on
	stop()
	h.Options.Signer = key.Signer
	h.reopen(t)
	h.OnRecord(func(wire []byte, _ territory.HubID) { published <- bytes.Clone(wire) })
	stop = run(t, h)
	defer stop()
	for seq := range uint32(2) {
		if e := next(t, published); e.Seq != seq+1 {
			t.Errorf("seq %d", e.Seq)
		}
	}
}

// wrong is a key that answers with another's signature.
type wrong struct {
	crypto.Signer
	other crypto.Signer
}

func (w wrong) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return w.other.Sign(r, digest, o)
}

func TestWrongSignatureIsNotPublished(t *testing.T) {
	l := newLand(t)
	h := l.newHub(t, "Valbrume")
	l.enrol(t)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.Options.Signer = wrong{h.Options.Signer, newGhost(t).key}
	h.open(t)
	author(t, h, l.notice(record.NewStopCode()))
	if err := h.SignAll(t.Context()); !errors.Is(err, record.ErrSignature) {
		t.Errorf("got %v", err)
	}
	if v, err := h.Vector(t.Context()); err != nil || len(v.Entries) != 0 {
		t.Errorf("published %v (%v)", v.Entries, err)
	}
}

func TestAuthorRefusesWhatOthersWould(t *testing.T) {
	l, a, _, _ := three(t)
	foreign := l.notice(record.NewStopCode())
	foreign.Structure = id.Random[territory.StructureID]()
	if _, _, err := a.Author(t.Context(), foreign); !fault.Is(err, fault.Forbidden) {
		t.Errorf("a structure it does not serve: %v", err)
	}
	endless := l.notice(record.NewStopCode())
	endless.End = endless.End.AddDate(9, 0, 0)
	if _, _, err := a.Author(t.Context(), endless); err == nil {
		t.Error("a mandate of nine years")
	}
	if p := author(t, a, l.notice(record.NewStopCode())); p.Seq != 1 {
		t.Errorf("a refused record took a place: the next is %d", p.Seq)
	}
}

// TestTimeOnlyRises: a clock set back does not write into the past, and blocks
// grants; stops are never blocked.
func TestTimeOnlyRises(t *testing.T) {
	l, h, _, published := moodyHub(t)
	n := l.notice(record.NewStopCode())
	author(t, h, n)
	l.clock.Advance(-time.Hour)
	author(t, h, l.stop(n.Mandate, 0))
	signAll(t, h)
	first, second := next(t, published), next(t, published)
	if second.Time.Before(first.Time) {
		t.Errorf("%s after %s", second.Time, first.Time)
	}
	if err := h.GrantsBlocked(l.clock.Now()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("clock before the last record: %v", err)
	}
	if err := h.GrantsBlocked(l.clock.Now().Add(time.Hour)); err != nil {
		t.Errorf("clock right again: %v", err)
	}
	h.reopen(t)
	if err := h.GrantsBlocked(l.clock.Now()); err == nil {
		t.Error("forgotten at restart")
	}
}

func TestClocks(t *testing.T) {
	l, a, b, c := three(t)
	now := l.clock.Now()
	for peer, ahead := range map[*hub]time.Duration{b: 2 * time.Minute, c: time.Hour} {
		a.PeerClock(peer.Self(), ahead, now)
	}
	a.PeerClock(territory.HubID{1}, -time.Minute, now)
	if err := a.GrantsBlocked(now); err != nil {
		t.Errorf("one wrong peer of three: %v", err)
	}
	a.PeerClock(territory.HubID{1}, 10*time.Minute, now)
	if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the median is ten minutes away: %v", err)
	}
	if err := a.GrantsBlocked(now.Add(time.Hour)); err != nil {
		t.Errorf("an hour later nobody remembers: %v", err)
	}
	a.Options.Release = now.Add(time.Hour)
	a.reopen(t)
	if err := a.GrantsBlocked(now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("before the release: %v", err)
	}
}

var _ node.Sealer = (*sealer)(nil)
