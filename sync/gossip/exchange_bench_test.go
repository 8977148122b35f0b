package gossip_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"relais/node/record"
	"relais/sync/exchange"
	"relais/sync/link/relay"
)

// BenchmarkGoalExchangeOctets pulls what is missing of 100,000 records in 100 logs,
// between two real hubs over a warm connection of the link, and counts the octets of
// both ways, TLS included; beside the missing records as they are and 24 octets a
// log. The worst of 1, 100 and 10,000 missing, spread over the logs.
func BenchmarkGoalExchangeOctets(b *testing.B) {
	const logs, each = 100, 1000
	l := newLand(b)
	line := relay.New()
	b.Cleanup(func() { line.Close() })
	knows := l.add(b, true, nil, func(address string) string {
		through, err := line.Forward("127.0.0.1:0", address)
		check(b, err)
		return through
	})
	lacks := l.add(b, true, nil, nil)
	pens := l.addPens(b, logs)
	l.enrol(b)
	ctx := context.Background()
	for b.Loop() {
		l.write(b, logs*each-10_101, pens, knows, lacks)
		for _, s := range []*site{knows, lacks} {
			running, cancel := context.WithCancel(ctx)
			b.Cleanup(cancel)
			go s.link.Run(running)
		}
		client := exchange.NewClient(lacks.Node, lacks.link.HTTPClient(), nil)
		pull := func(want int) int64 {
			before := line.Octets()
			got, err := client.PullRecords(ctx, knows.Self())
			check(b, err)
			if got.New != want {
				b.Fatalf("%d records came, want %d", got.New, want)
			}
			return line.Octets() - before
		}
		pull(0)
		var worst, ours, peer float64
		note := "note: both ways on the wire, by missing:"
		for _, missing := range []int{1, 100, 10_000} {
			records := l.write(b, missing, pens, knows)
			octets := float64(pull(missing))
			allowed := float64(records + 24*logs)
			note += fmt.Sprintf(" %d %.2f;", missing, octets/allowed)
			if octets/allowed > worst {
				worst, ours, peer = octets/allowed, octets, allowed
			}
		}
		b.ReportMetric(ours, "ours:octets")
		b.ReportMetric(peer, "peer:octets")
		b.ReportMetric(1, "goal:max")
		b.Log(note + " beside the records and 24 octets a log")
	}
}

// BenchmarkGoalVectorIsFlat is what one hub tells another at each push/pull, of
// 100,000 records beside 1,000, both in ten logs.
func BenchmarkGoalVectorIsFlat(b *testing.B) {
	l := newLand(b)
	s := l.add(b, true, nil, nil)
	pens := l.addPens(b, 10)
	l.enrol(b)
	size := func() float64 {
		v, err := s.Vector(context.Background())
		check(b, err)
		wire, err := v.MarshalBinary()
		check(b, err)
		return float64(len(wire))
	}
	for b.Loop() {
		l.write(b, 1000, pens, s)
		b.ReportMetric(size(), "peer:octets")
		l.write(b, 99_000, pens, s)
		b.ReportMetric(size(), "ours:octets")
	}
	b.ReportMetric(1.05, "goal:max")
	b.Log("note: a vector of ten logs: 100,000 records beside 1,000")
}

// addPens puts silent hubs on the roster, who serve the structure.
func (l *land) addPens(tb testing.TB, n int) []*pen {
	tb.Helper()
	pens := make([]*pen, n)
	for i := range pens {
		pens[i] = newPen(tb)
		entry := pens[i].entry(l.roster.Hubs[0])
		entry.Index = uint16(2000 + i)
		l.roster.Hubs = append(l.roster.Hubs, entry)
		l.roster.Structures[0].Serving = append(l.roster.Structures[0].Serving, pens[i].hub)
	}
	return pens
}

// write has silent hubs draw up mandates, by turns, and tells sites of them. It
// returns how many octets they are.
func (l *land) write(tb testing.TB, n int, from []*pen, sites ...*site) (octets int) {
	tb.Helper()
	wires := make([][]byte, n)
	for i := range wires {
		wires[i] = from[i%len(from)].notice(tb, l.office, record.NewStopCode())
		octets += len(wires[i])
	}
	for _, s := range sites {
		for part := range slices.Chunk(wires, 1000) {
			_, err := s.Apply(context.Background(), part, from[0].hub)
			check(tb, err)
		}
	}
	return octets
}
