package gossip_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"relais/node/record"
	"relais/node/territory"
	"relais/sync/gossip"
	"relais/sync/link"
	"relais/sync/link/linktest"
)

const (
	benchHubs    = 20
	benchRecords = 25
	// benchPause lets the queues of both sides empty between two records: a
	// territory stops a mandate now and then, not in bursts.
	benchPause = 120 * time.Millisecond
)

// BenchmarkGoalRevocation measures how long a revocation takes to the last of 20
// hubs, over the real link on loopback: ours, from the typed code to the commit
// at each hub; and beside it, in the same run, memberlist's WAN preset
// broadcasting as many octets over the same link, which stores and checks
// nothing.
func BenchmarkGoalRevocation(b *testing.B) {
	for b.Loop() {
		ours := measure(b, startOurs(b, benchHubs, benchRecords, 0))
		preset := measure(b, startPreset(b))
		b.ReportMetric(ms(percentile(ours.last, 99)), "ours:ms-p99")
		b.ReportMetric(ms(percentile(preset.last, 99)), "peer:ms-p99")
		b.ReportMetric(0.3, "goal:max")
		b.Logf("note: to the last of 20 hubs, median %.0f ms beside %.0f ms; to any, p99 %.0f ms beside %.0f ms; missed %d beside %d of %d",
			ms(percentile(ours.last, 50)), ms(percentile(preset.last, 50)), ms(percentile(ours.all, 99)), ms(percentile(preset.all, 99)),
			ours.missed, preset.missed, len(ours.all)+ours.missed)
		if ours.missed > 0 {
			b.Errorf("%d deliveries missed", ours.missed)
		}
	}
}

// contender is one side of the race: write makes a record at a hub, and arrived
// says when another one had it.
type contender struct {
	hubs, records int
	// write returns the record and when it was begun.
	write   func(hub int, text string) ([]byte, time.Time)
	arrived func(hub int, wire []byte) (time.Time, bool)
	stop    func()
}

// times are how long the records took, to each hub and to the last.
type times struct {
	all, last []time.Duration
	missed    int
}

func measure(tb testing.TB, c contender) times {
	tb.Helper()
	defer c.stop()
	var t times
	for i := range c.records {
		t.add(c, i)
	}
	return t
}

// add measures one record, from the hub whose turn it is.
func (t *times) add(c contender, i int) {
	from := i % c.hubs
	wire, began := c.write(from, fmt.Sprintf("record %d %0150d", i, i))
	var last time.Duration
	for hub := range c.hubs {
		at, ok := wait(c, hub, wire, began.Add(5*time.Second))
		if !ok {
			t.missed++
			continue
		}
		if hub != from {
			t.all = append(t.all, at.Sub(began))
			last = max(last, at.Sub(began))
		}
	}
	t.last = append(t.last, last)
	time.Sleep(benchPause)
}

func wait(c contender, hub int, wire []byte, until time.Time) (time.Time, bool) {
	for {
		if at, ok := c.arrived(hub, wire); ok {
			return at, true
		}
		if time.Now().After(until) {
			return time.Time{}, false
		}
		time.Sleep(time.Millisecond)
	}
}

// percentile is the nearest-rank percentile.
func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[(len(sorted)*p+99)/100-1]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// startOurs runs real hubs, each with its store on disk, to which a silent one
// told as many mandates as will be stopped. A record is made by a stop code
// typed at a kiosk: its time includes the commit there, the signature, and the
// commit at every hub on its way. The last hubs, as many as unreachable says, cannot
// be called.
func startOurs(tb testing.TB, hubs, records, unreachable int) contender {
	tb.Helper()
	l := newLand(tb)
	for i := range hubs {
		var front func(string) string
		if i >= hubs-unreachable {
			front = nowhere
		}
		l.add(tb, false, nil, front)
	}
	l.enrol(tb)
	codes := make([]record.StopCode, records)
	notices := make([][]byte, records)
	for i := range codes {
		codes[i] = record.NewStopCode()
		notices[i] = l.pen.notice(tb, l.office, codes[i])
	}
	for _, s := range l.hubs {
		_, err := s.Apply(context.Background(), notices, l.pen.hub)
		check(tb, err)
	}
	for _, s := range l.hubs {
		s.run()
	}
	l.met(tb)
	l.connected(tb)
	next := 0
	return contender{
		hubs: hubs, records: records,
		write: func(i int, _ string) ([]byte, time.Time) {
			began := time.Now()
			_, err := l.hubs[i].StopByCode(context.Background(), codes[next].String(), "kiosk")
			check(tb, err)
			next++
			return <-l.hubs[i].made, began
		},
		arrived: func(i int, wire []byte) (time.Time, bool) { return l.hubs[i].arrived(wire) },
		stop:    l.stop,
	}
}

// preset is memberlist as it comes, DefaultWANConfig, with our link for a
// transport and a record in its broadcast queue.
type preset struct {
	*gossip.Transport
	list  *memberlist.Memberlist
	queue *memberlist.TransmitLimitedQueue

	mu sync.Mutex
	at map[string]time.Time
}

type once []byte

func (o once) Invalidates(memberlist.Broadcast) bool { return false }
func (o once) Message() []byte                       { return o }
func (o once) Finished()                             {}

func (p *preset) NodeMeta(int) []byte                { return nil }
func (p *preset) LocalState(bool) []byte             { return nil }
func (p *preset) MergeRemoteState([]byte, bool)      {}
func (p *preset) GetBroadcasts(over, n int) [][]byte { return p.queue.GetBroadcasts(over, n) }
func (p *preset) Up(territory.HubID)                 {}
func (p *preset) Down(territory.HubID, time.Time)    {}

func (p *preset) NotifyMsg(msg []byte) { p.take(bytes.Clone(msg)) }

func (p *preset) Frame(from territory.HubID, _ link.Type, payload []byte) {
	p.Packet(from, payload, time.Now())
}
func (p *preset) Stream(_ territory.HubID, conn net.Conn) { p.Transport.Stream(conn) }

// take notes and passes on what is new.
func (p *preset) take(wire []byte) {
	p.mu.Lock()
	_, known := p.at[string(wire)]
	if !known {
		p.at[string(wire)] = time.Now()
	}
	p.mu.Unlock()
	if !known {
		p.queue.QueueBroadcast(once(wire))
	}
}

func startPreset(tb testing.TB) contender {
	tb.Helper()
	terr := linktest.NewTerritory()
	nodes := make([]*preset, benchHubs)
	links := make([]*link.Link, benchHubs)
	for i := range nodes {
		h := linktest.NewHub(tb)
		links[i] = terr.Open(tb, h, linktest.Options{})
		terr.Admit(tb, h, links[i].Addr().String())
		p := &preset{Transport: gossip.NewTransport(links[i]), at: make(map[string]time.Time)}
		links[i].Receive(p)
		linktest.Run(tb, links[i])
		c := memberlist.DefaultWANConfig()
		c.Name, c.Transport, c.Delegate = h.ID.String(), p, p
		c.Logger = log.New(io.Discard, "", 0)
		p.queue = &memberlist.TransmitLimitedQueue{RetransmitMult: c.RetransmitMult, NumNodes: func() int { return benchHubs }}
		list, err := memberlist.Create(c)
		if err != nil {
			tb.Fatal(err)
		}
		p.list, nodes[i] = list, p
		if i > 0 {
			if _, err := list.Join([]string{gossip.JoinAddress(links[0].Self())}); err != nil {
				tb.Fatal(err)
			}
		}
	}
	linktest.Eventually(tb, 60*time.Second, "the preset's members", func() bool {
		return !slices.ContainsFunc(nodes, func(p *preset) bool { return p.list.NumMembers() != benchHubs })
	})
	return contender{
		hubs: benchHubs, records: benchRecords,
		write: func(i int, text string) ([]byte, time.Time) {
			began := time.Now()
			nodes[i].take([]byte(text))
			return []byte(text), began
		},
		arrived: func(i int, wire []byte) (time.Time, bool) {
			nodes[i].mu.Lock()
			defer nodes[i].mu.Unlock()
			at, ok := nodes[i].at[string(wire)]
			return at, ok
		},
		stop: func() {
			for i, p := range nodes {
				p.list.Shutdown()
				links[i].Close()
			}
		},
	}
}
