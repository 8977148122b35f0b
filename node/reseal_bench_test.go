package node_test

import (
	"context"
	"sync"
	"testing"
	"time"
)

// BenchmarkReseal seals 20,000 persons' keys again while somebody keeps a session:
// how long a value takes, and how long the session waited at worst.
func BenchmarkReseal(b *testing.B) {
	const persons = 20_000
	k := newKeyed(b)
	if err := k.FillPersons(b.Context(), persons); err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var worst time.Duration
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	var spent time.Duration
	for b.Loop() {
		k.rekey(b)
		group.Go(func() {
			for ctx.Err() == nil && len(k.keys.Epochs()) > 1 {
				start := time.Now()
				if err := k.Sessions().CommitCtx(b.Context(), session, []byte(kept), k.land.clock.Now().Add(time.Hour)); err != nil {
					b.Error(err)
				}
				worst = max(worst, time.Since(start))
				time.Sleep(time.Millisecond)
			}
		})
		start := time.Now()
		k.finish(b)
		spent += time.Since(start)
		group.Wait()
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N*persons), "us/value")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst-wait")
}
