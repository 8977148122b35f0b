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

// BenchmarkUsable answers "may this line be used now?" among 100,000 mandates, at
// random, beside a bare prepared SELECT by primary key on the same rows. The two
// are interleaved, so that what disturbs one disturbs the other; the ratios are of
// their medians and of their 99th percentiles.
func BenchmarkUsable(b *testing.B) {
	const mandates = 100_000
	l := newLand(b)
	h := l.newHub(b, "Valbrume")
	l.enrol(b)
	d := l.desk(b, h, "camille", people.Name{Given: "Camille", Family: "Exemple"})
	ids, err := h.FillMandates(context.Background(), d.by, mandates, l.clock.Now())
	if err != nil {
		b.Fatal(err)
	}
	l.clock.Advance(time.Minute)
	var ours, bare []time.Duration
	ctx := context.Background()
	for b.Loop() {
		ours = append(ours, timed(b, func() error { return usable(ctx, h, d.by, ids[rand.IntN(mandates)]) }))
		bare = append(bare, timed(b, func() error { return h.SelectOne(ctx, ids[rand.IntN(mandates)]) }))
	}
	for name, q := range map[string]float64{"p50": 0.50, "p99": 0.99} {
		b.ReportMetric(float64(quantile(ours, q).Nanoseconds()), name+"-ns")
		b.ReportMetric(float64(quantile(ours, q))/float64(quantile(bare, q)), name+"-ratio")
	}
	b.ReportMetric(0, "ns/op") // of both sides together: it means nothing
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

func quantile(d []time.Duration, q float64) time.Duration {
	slices.Sort(d)
	return d[int(q*float64(len(d)-1))]
}
