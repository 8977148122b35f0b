package main

import (
	"testing"

	"relais/cmd/national/internal/store/storetest"
)

// What a pass costs when nothing is new must not depend on what is old.
func BenchmarkGoalIdlePassIsFlat(b *testing.B) {
	idle := func(records int) float64 {
		d := newDemo(b, storetest.SQLite(b), 1)
		d.hubs[0].take(b, d.author.write(b, records))
		d.hubs[0].mustPass(b)
		r := d.hubs[0].mustPass(b)
		return float64(r.OctetsIn + r.OctetsOut)
	}
	for b.Loop() {
		b.ReportMetric(idle(2000), "ours:octets")
		b.ReportMetric(idle(10), "peer:octets")
	}
	b.ReportMetric(1.05, "goal:max")
	b.Log("note: a pass with nothing new over 2,000 records, beside one over 10: handshake, two requests")
}

// The same, as a bound.
func BenchmarkGoalIdlePass(b *testing.B) {
	for b.Loop() {
		d := newDemo(b, storetest.SQLite(b), 1)
		d.imported(b, exitOK, "list.csv", listCSV)
		d.hubs[0].take(b, d.author.write(b, 100))
		d.hubs[0].mustPass(b)
		r := d.hubs[0].mustPass(b)
		b.ReportMetric(float64(r.OctetsIn+r.OctetsOut), "ours:octets")
	}
	b.ReportMetric(4000, "goal:max")
	b.Log("note: both ways on a new connection, TLS included, TCP not; the journal cosigned, the list followed to its head")
}

// What is new costs little more than its own octets.
func BenchmarkGoalFirstPassOctets(b *testing.B) {
	for b.Loop() {
		d := newDemo(b, storetest.SQLite(b), 1)
		wires := d.author.write(b, 5000)
		d.hubs[0].take(b, wires)
		octets := 0
		for _, w := range wires {
			octets += len(w)
		}
		r := d.hubs[0].mustPass(b)
		b.ReportMetric(float64(r.OctetsIn+r.OctetsOut), "ours:octets")
		b.ReportMetric(float64(octets), "peer:octets")
	}
	b.ReportMetric(1.05, "goal:max")
	b.Log("note: a first pass of 5,000 records on the wire, beside the records alone")
}
