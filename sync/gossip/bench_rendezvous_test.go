package gossip_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"relais/sync/link"
)

// benchUnreachable are the hubs of the 20 that nobody can call: all but the two
// that they need.
const benchUnreachable = benchHubs - 2

// BenchmarkGoalRendezvous measures how long a revocation takes to each of 20
// hubs of which 18 cannot be called, beside 20 that all can be, in turn: a machine
// that has other work slows both.
func BenchmarkGoalRendezvous(b *testing.B) {
	for b.Loop() {
		there, here := startOurs(b, benchHubs, benchRecords, benchUnreachable), startOurs(b, benchHubs, benchRecords, 0)
		var through, direct times
		for i := range benchRecords {
			through.add(there, i)
			direct.add(here, i)
		}
		there.stop()
		here.stop()
		b.ReportMetric(ms(percentile(through.all, 99)), "ours:ms-p99")
		b.ReportMetric(ms(percentile(direct.all, 99)), "peer:ms-p99")
		b.ReportMetric(1.3, "goal:max")
		b.Logf("note: to any hub; to the last of 20, median %.0f ms beside %.0f ms, slowest %.0f ms beside %.0f ms; missed %d beside %d of %d",
			ms(percentile(through.last, 50)), ms(percentile(direct.last, 50)), ms(percentile(through.last, 99)), ms(percentile(direct.last, 99)),
			through.missed, direct.missed, len(direct.all)+direct.missed)
		if through.missed > 0 {
			b.Errorf("%d deliveries missed", through.missed)
		}
	}
}

// idleFor is one comparison of everybody. memberlist's own, every five minutes,
// seldom falls in it: a list of 20 is some 3 kB each way.
const idleFor = time.Minute

// BenchmarkGoalRendezvousIdle measures what a hub sends while nothing happens in a
// territory of 20 of which 18 cannot be called: the most of any that is no
// rendezvous, and beside it the most of any of 20 that all can be called. TLS is
// included, TCP is not.
func BenchmarkGoalRendezvousIdle(b *testing.B) {
	for b.Loop() {
		behind, ends := idle(b, benchUnreachable)
		direct, _ := idle(b, 0)
		b.ReportMetric(behind, "ours:B/s")
		b.ReportMetric(100, "goal:max")
		b.Logf("note: upstream of the hub that sends most; %.0f B/s where all can be called, %.0f B/s at a rendezvous for 18", direct, ends)
	}
}

// idle is what the hub that sends most sends, in octets a second: among those that
// pass nothing on, and among those that do.
func idle(tb testing.TB, unreachable int) (most, mostPassing float64) {
	tb.Helper()
	l := newLand(tb)
	l.pen, l.roster.Structures = nil, nil // who sleeps is called now and then
	var sent []*sending
	l.network = func() link.Network {
		sent = append(sent, &sending{})
		return sent[len(sent)-1]
	}
	for i := range benchHubs {
		var front func(string) string
		if i >= benchHubs-unreachable {
			front = nowhere
		}
		l.add(tb, false, nil, front)
	}
	l.start(tb)
	defer l.stop()
	l.met(tb)
	l.connected(tb)
	time.Sleep(15 * time.Second) // what simultaneous calls left is closed by then
	was := make([]int64, len(sent))
	for i, s := range sent {
		was[i] = s.octets.Load()
	}
	time.Sleep(idleFor)
	for i, s := range sent {
		rate := float64(s.octets.Load()-was[i]) / idleFor.Seconds()
		if l.hubs[i].link.Transit().Tunnels > 0 {
			mostPassing = max(mostPassing, rate)
		} else {
			most = max(most, rate)
		}
	}
	return most, mostPassing
}

// sending is TCP, and counts what is written.
type sending struct{ octets atomic.Int64 }

func (s *sending) Listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	return &counting{listener, s}, err
}

func (s *sending) Dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &counted{conn, s}, nil
}

type counting struct {
	net.Listener
	by *sending
}

func (c *counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &counted{conn, c.by}, nil
}

type counted struct {
	net.Conn
	by *sending
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.by.octets.Add(int64(n))
	return n, err
}
