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
	pens := make([]*pen, logs)
	for i := range pens {
		pens[i] = newPen(b)
		entry := pens[i].entry(l.roster.Hubs[0])
		entry.Index = uint16(2000 + i)
		l.roster.Hubs = append(l.roster.Hubs, entry)
		l.roster.Structures[0].Serving = append(l.roster.Structures[0].Serving, pens[i].hub)
	}
	l.enrol(b)
	ctx := context.Background()
	for b.Loop() {
		write := func(n int, from []*pen, sites ...*site) (octets int) {
			var wires [][]byte
			for i := range n {
				wire := from[i%len(from)].notice(b, l.office, record.NewStopCode())
				octets += len(wire)
				wires = append(wires, wire)
			}
			for _, s := range sites {
				for part := range slices.Chunk(wires, 1000) {
					_, err := s.Apply(ctx, part, pens[0].hub)
					check(b, err)
				}
			}
			return octets
		}
		write(logs*each-10_101, pens, knows, lacks)
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
			records := write(missing, pens, knows)
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
