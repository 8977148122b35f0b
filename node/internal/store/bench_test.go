package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"relais/node/internal/store"
	"relais/node/journal"
)

// Bursts of ours and of the peer alternate, so that a noisy machine is noisy for
// both; the figure is the median burst.
const (
	bursts   = 15
	perBurst = 200
)

// logicalOctets is about what one entry with its row says, without any of the
// database's bookkeeping: what a bare log would append.
const logicalOctets = 400

// entryOf appends an entry of that size.
func entryOf(tx *store.Tx) error {
	_, err := tx.AppendJournal(store.JournalRow{
		At: tx.Now, Kind: journal.KindControl, Actor: "machine", Public: make([]byte, logicalOctets),
	})
	return err
}

// rawLog is the physical limit: append and fdatasync.
func rawLog(b *testing.B) (appendOne func()) {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "raw"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	line := make([]byte, logicalOctets)
	return func() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}

// paired returns the median rates, per second, of two loops in alternate bursts.
func paired(ours, peer func()) (oursRate, peerRate float64) {
	rate := func(f func()) float64 {
		begun := time.Now()
		for range perBurst {
			f()
		}
		return perBurst / time.Since(begun).Seconds()
	}
	var a, b []float64
	for range bursts {
		a, b = append(a, rate(ours)), append(b, rate(peer))
	}
	slices.Sort(a)
	slices.Sort(b)
	return a[bursts/2], b[bursts/2]
}

// BenchmarkGoalEntryAlone is a durable entry at a time beside a raw log.
func BenchmarkGoalEntryAlone(b *testing.B) {
	for b.Loop() {
		db, _ := open(b)
		ours, peer := paired(func() {
			if err := db.Write(b.Context(), entryOf); err != nil {
				b.Fatal(err)
			}
		}, rawLog(b))
		b.ReportMetric(ours, "ours:entries/s")
		b.ReportMetric(peer, "peer:entries/s")
		b.ReportMetric(0.3, "goal:min")
	}
}

// BenchmarkGoalEntryTogether is the same with 64 writers sharing commits.
func BenchmarkGoalEntryTogether(b *testing.B) {
	const writers = store.MaxGroup
	for b.Loop() {
		db, _ := open(b)
		begun := time.Now()
		var wait sync.WaitGroup
		for range writers {
			wait.Go(func() {
				for range perBurst {
					if err := db.Write(b.Context(), entryOf); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wait.Wait()
		ours := writers * perBurst / time.Since(begun).Seconds()
		_, peer := paired(func() {}, rawLog(b))
		b.ReportMetric(ours, "ours:entries/s")
		b.ReportMetric(peer, "peer:entries/s")
		b.ReportMetric(1, "goal:min")
	}
}

// BenchmarkGoalSyncsAlone counts what a writer alone waits for.
func BenchmarkGoalSyncsAlone(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(syncsPerWrite(b, 1, 200), "ours:fsyncs/op")
		b.ReportMetric(1, "goal:max")
	}
}

// BenchmarkGoalSyncsTogether counts it with 64 writers.
func BenchmarkGoalSyncsTogether(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(syncsPerWrite(b, store.MaxGroup, 20), "ours:fsyncs/op")
		b.ReportMetric(0.2, "goal:max")
	}
}

// BenchmarkRead is a prepared SELECT by primary key through each way to read.
func BenchmarkRead(b *testing.B) {
	db, _ := open(b)
	if err := db.Write(b.Context(), func(tx *store.Tx) error { return tx.PutJob("pass", tx.Now) }); err != nil {
		b.Fatal(err)
	}
	last := func(r *store.Reader) error { _, err := r.JobLast("pass"); return err }
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if err := db.ReadOne(b.Context(), last); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			if err := db.Read(b.Context(), last); err != nil {
				b.Fatal(err)
			}
		}
	})
}
