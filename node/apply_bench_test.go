package node_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"runtime"
	"sync"
	"testing"
	"time"

	"relais/node/record"
)

// BenchmarkGoalApply takes records of ten other hubs, on the disk before they count,
// beside bare verifications of P-256 on the same cores.
func BenchmarkGoalApply(b *testing.B) {
	const authors, records = 10, 20_000
	for b.Loop() {
		l := newLand(b)
		h := l.newHub(b, "Valbrume")
		var ghosts []*ghost
		for range authors {
			ghosts = append(ghosts, newGhost(b))
		}
		l.enrol(b, join(ghosts...))
		var wires [][]byte
		for _, g := range ghosts {
			for range records / authors {
				wires = append(wires, g.say(b, l.clock.Now(), l.notice(record.NewStopCode())))
			}
		}
		began := time.Now()
		if done := apply(b, h, ghosts[0].id, wires...); done.New != records {
			b.Fatalf("%+v", done)
		}
		b.ReportMetric(records/time.Since(began).Seconds(), "ours:records/s")
		b.ReportMetric(bareVerifies(b), "peer:records/s")
	}
	b.ReportMetric(0.6, "goal:min")
	b.Log("note: verified, stored and weighed, beside bare ecdsa.VerifyASN1 on as many cores")
}

// bareVerifies is how many signatures all cores verify in a second.
func bareVerifies(b *testing.B) float64 {
	b.Helper()
	const each = 5000
	key := newGhost(b).key
	digest := sha256.Sum256([]byte("a record"))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	var all sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for range cores {
		all.Go(func() {
			for range each {
				if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
					b.Error("a good signature does not hold")
				}
			}
		})
	}
	all.Wait()
	return float64(cores*each) / time.Since(began).Seconds()
}
