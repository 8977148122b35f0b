package node_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"relais/node"
	"relais/node/mandate"
	"relais/node/people"
)

// BenchmarkGoalUsable answers "may this line be used now?" among 100,000 mandates,
// at random, beside a bare prepared SELECT by primary key on the same rows. The
// two are interleaved, so that what disturbs one disturbs the other.
func BenchmarkGoalUsable(b *testing.B) { goalUsable(b, 100_000) }

// BenchmarkGoalUsableMillion does it among a million.
func BenchmarkGoalUsableMillion(b *testing.B) { goalUsable(b, 1_000_000) }

func goalUsable(b *testing.B, mandates int) {
	const rounds = 30_000
	l := newLand(b)
	h := l.newHub(b, "Valbrume")
	l.enrol(b)
	d := l.desk(b, h, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	ctx := context.Background()
	ids, err := h.FillMandates(ctx, d.by, mandates, l.clock.Now())
	if err != nil {
		b.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	for b.Loop() {
		var ours, peer []time.Duration
		for range rounds {
			ours = append(ours, timed(b, func() error { return usable(ctx, h, d.by, ids[rand.IntN(mandates)]) }))
			peer = append(peer, timed(b, func() error { return h.SelectOne(ctx, ids[rand.IntN(mandates)]) }))
		}
		b.ReportMetric(quantile(ours, 0.99), "ours:µs-p99")
		b.ReportMetric(quantile(peer, 0.99), "peer:µs-p99")
		b.ReportMetric(1.5, "goal:max")
		b.Logf("note: p50 %.2f µs, the bare SELECT %.2f µs", quantile(ours, 0.50), quantile(peer, 0.50))
	}
}

func timed(b *testing.B, f func() error) time.Duration {
	began := time.Now()
	if err := f(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

// usable fails unless the line may be used, so that the benchmark measures the
// whole of the way and not a short cut.
func usable(ctx context.Context, h *hub, by node.Actor, m mandate.ID) error {
	v, err := h.Usable(ctx, by, m, 2)
	if err == nil && !v.Usable {
		err = context.Canceled
	}
	return err
}

// quantile is in microseconds.
func quantile(d []time.Duration, q float64) float64 {
	slices.Sort(d)
	return float64(d[int(q*float64(len(d)-1))]) / float64(time.Microsecond)
}
