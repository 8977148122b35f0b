package node_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"relais/node"
	"relais/node/people"
)

// grantOctets is what one grant of wholeDraft writes, without any of the
// database's bookkeeping: the lengths of the columns it fills, an integer being 8
// octets, in mandates (3496, the dossier under the person's key), persons (93),
// records (213, a payload of 126), notices (104), journal (515), and what it changes
// elsewhere (24). The draft that goes is not counted.
const grantOctets = 4445

// BenchmarkGoalGrant is a mandate granted alone, from the approval to the
// answer, beside a bare append and fdatasync of as many octets. Its signature
// comes later, in a commit of its own.
func BenchmarkGoalGrant(b *testing.B) {
	const bursts, perBurst = 15, 60
	for b.Loop() {
		d := newDesk(b)
		raw := rawLog(b)
		var ours, peer []float64
		for range bursts {
			pending := make([]func(), perBurst)
			for i := range pending {
				pending[i] = d.ready(b, d.codeAfter(b, i+1))
			}
			ours = append(ours, rate(pending))
			peer = append(peer, rate(slices.Repeat([]func(){raw}, perBurst)))
		}
		slices.Sort(ours)
		slices.Sort(peer)
		b.ReportMetric(ours[bursts/2], "ours:grants/s")
		b.ReportMetric(peer[bursts/2], "peer:grants/s")
		b.ReportMetric(0.3, "goal:min")
	}
}

// BenchmarkGoalGrantSyncsAlone counts the syncs that a grant waits for.
func BenchmarkGoalGrantSyncsAlone(b *testing.B) {
	const grants = 20
	for b.Loop() {
		d := newDesk(b)
		pending := make([]func(), grants)
		for i := range pending {
			pending[i] = d.ready(b, d.codeAfter(b, i+1))
		}
		syncs := countSyncs(b, func() { rate(pending) })
		b.ReportMetric(float64(syncs)/grants, "ours:fsyncs/op")
		b.ReportMetric(1, "goal:max")
	}
}

// BenchmarkGoalGrantSyncsTogether counts them when 64 helpers approve at once.
func BenchmarkGoalGrantSyncsTogether(b *testing.B) {
	const helpers = 64
	for b.Loop() {
		first := newDesk(b)
		desks := []*desk{first}
		for i := range helpers - 1 {
			name := people.Name{Given: "Aidante", Family: strconv.Itoa(i)}
			desks = append(desks, first.land.desk(b, first.hub, "aidante"+strconv.Itoa(i), name))
		}
		pending := make([]func(), helpers)
		for i, d := range desks {
			pending[i] = d.ready(b, d.codeNow)
		}
		first.land.clock.Advance(time.Minute)
		syncs := countSyncs(b, func() {
			var wait sync.WaitGroup
			for _, grant := range pending {
				wait.Go(grant)
			}
			wait.Wait()
		})
		b.ReportMetric(float64(syncs)/helpers, "ours:fsyncs/op")
		b.ReportMetric(0.2, "goal:max")
	}
}

// countSyncs counts the fsync and fdatasync of this process while f runs, with
// strace attached to it.
func countSyncs(b *testing.B, f func()) (syncs int) {
	trace := filepath.Join(b.TempDir(), "trace")
	cmd := exec.CommandContext(b.Context(), "strace", "-f", "-e", "trace=fsync,fdatasync", "-o", trace, "-p", strconv.Itoa(os.Getpid()))
	says, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(says).ReadString('\n'); err != nil || !strings.Contains(line, "attached") {
		b.Fatalf("strace: %q, %v", line, err)
	}
	f()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		b.Fatal(err)
	}
	cmd.Wait() // interrupted
	text, err := os.ReadFile(trace)
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "sync(") {
			syncs++
		}
	}
	return syncs
}

// codeAfter reads the code that is shown so many steps from now, and returns it once
// that time has come: reading it is the helper's work, not the hub's.
func (d *desk) codeAfter(b *testing.B, steps int) func(testing.TB) string {
	seed, err := people.ParseURI(d.enrol.TOTP)
	if err != nil {
		b.Fatal(err)
	}
	const step = 30 * time.Second
	code := seed.Code(people.Step(d.land.clock.Now().Add(time.Duration(steps) * step)))
	return func(testing.TB) string {
		d.land.clock.Advance(step)
		return code
	}
}

// ready prepares a grant up to the last click, which reads a code and approves.
func (d *desk) ready(b *testing.B, code func(testing.TB) string) func() {
	visit := d.drafted(b)
	recap, err := d.Recap(b.Context(), d.by, visit)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if _, err := d.Grant(b.Context(), d.by, visit, node.Approval{Recap: recap.Hash, Code: code(b)}); err != nil {
			b.Error(err)
		}
	}
}

func rate(calls []func()) float64 {
	begun := time.Now()
	for _, call := range calls {
		call()
	}
	return float64(len(calls)) / time.Since(begun).Seconds()
}

func rawLog(b *testing.B) func() {
	f, err := os.OpenFile(filepath.Join(b.TempDir(), "raw"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	line := make([]byte, grantOctets)
	return func() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
}
