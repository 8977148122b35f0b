package service_test

import (
	"slices"
	"testing"
	"time"

	"relais/cmd/national/internal/service"
	"relais/cmd/national/internal/store/storetest"
	"relais/node/record"
)

// Taking a record costs its signature check, and not much besides.
func BenchmarkGoalServiceApply(b *testing.B) {
	for b.Loop() {
		g := newGround(b, storetest.SQLite(b), 1)
		wires := g.pen(g.hub(0)).write(b, 4000)
		s := g.open(b, service.Limits{})
		begun := time.Now()
		for page := range slices.Chunk(wires, 1000) {
			done, err := s.Apply(b.Context(), page, g.hub(0))
			check(b, err)
			if done.New != len(page) {
				b.Fatalf("%+v", done)
			}
		}
		b.ReportMetric(float64(len(wires))/time.Since(begun).Seconds(), "ours:records/s")

		begun = time.Now()
		for _, w := range wires {
			e, err := record.Parse(w)
			check(b, err)
			check(b, e.Verify(&g.keys[e.Hub].PublicKey))
		}
		b.ReportMetric(float64(len(wires))/time.Since(begun).Seconds(), "peer:records/s")
	}
	b.ReportMetric(0.4, "goal:min")
	b.Log("note: verified and on the disk by pages of 1,000, beside reading and verifying alone, one core each")
}
